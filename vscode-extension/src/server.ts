/**
 * Finds the language server: a setting, the workspace's own environment, or a program on the PATH.
 *
 * Nothing here imports `vscode`, so that the search can be tested with plain folders.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import * as path from 'node:path';
import type { ServerSettings } from './settings';

export interface ServerCommand {
  command: string;
  args: string[];
  /** Where it was found, for the log and the status item. */
  origin: string;
}

/** Why there is no server, and which of the two settings, if any, is to blame. */
export interface ServerProblem {
  problem: string;
  setting?: 'osiris.server.path' | 'osiris.server.interpreter';
}

export interface Surroundings {
  settings: ServerSettings;
  /** Roots of the workspace; used to look for environments only while `trusted`. */
  folders: string[];
  trusted: boolean;
  home: string;
  searchPath: string;
  windows: boolean;
}

/** `-P` keeps the working folder, and so the workspace, off the module path. */
const asModule = ['-P', '-m', 'osiris'];
const lsp = 'lsp';

export async function findServer(around: Surroundings): Promise<ServerCommand | ServerProblem> {
  return (
    (await fromSettings(around)) ??
    (around.trusted ? await fromWorkspace(around) : undefined) ??
    (await fromSearchPath(around)) ?? { problem: notFound(around) }
  );
}

export function isProblem(found: ServerCommand | ServerProblem): found is ServerProblem {
  return 'problem' in found;
}

/** Expands `~` and `${workspaceFolder}`; a relative path is meant from the first workspace folder. */
export function expand(value: string, around: Pick<Surroundings, 'folders' | 'home'>): string {
  const folder = around.folders[0] ?? around.home;
  const expanded = value.replace(/^~(?=$|[\\/])/, () => around.home).replaceAll('${workspaceFolder}', () => folder);
  return path.isAbsolute(expanded) ? expanded : path.join(folder, expanded);
}

async function fromSettings(around: Surroundings): Promise<ServerCommand | ServerProblem | undefined> {
  const { path: program, interpreter } = around.settings;
  if (program !== '') {
    const file = expand(program, around);
    return (await isProgram(file))
      ? { command: file, args: [lsp], origin: 'osiris.server.path' }
      : { problem: `osiris.server.path names ${file}, which is not a program.`, setting: 'osiris.server.path' };
  }
  if (interpreter !== '') {
    const file = expand(interpreter, around);
    const trouble = await whyNotPython(file);
    return trouble === undefined
      ? { command: file, args: [...asModule, lsp], origin: 'osiris.server.interpreter' }
      : { problem: `osiris.server.interpreter names ${file}, ${trouble}.`, setting: 'osiris.server.interpreter' };
  }
  return undefined;
}

async function fromWorkspace(around: Surroundings): Promise<ServerCommand | undefined> {
  const python = around.windows ? path.join('Scripts', 'python.exe') : path.join('bin', 'python');
  for (const folder of around.folders) {
    for (const name of ['.venv', 'venv']) {
      const candidate = path.join(folder, name, python);
      if ((await whyNotPython(candidate)) === undefined) {
        return { command: candidate, args: [...asModule, lsp], origin: path.join(path.basename(folder), name) };
      }
    }
  }
  return undefined;
}

async function fromSearchPath(around: Surroundings): Promise<ServerCommand | undefined> {
  // Only absolute entries: a relative one would let the working folder name the program.
  const folders = around.searchPath.split(path.delimiter).filter((entry) => path.isAbsolute(entry));
  const suffix = around.windows ? '.exe' : '';
  for (const name of ['python3', 'python']) {
    const python = await firstProgram(folders, name + suffix);
    if (python !== undefined && (await whyNotPython(python)) === undefined) {
      return { command: python, args: [...asModule, lsp], origin: python };
    }
  }
  // Tools such as pipx put the program there alone. Other packages have a program of this name, too.
  const program = await firstProgram(folders, `osiris${suffix}`);
  if (program !== undefined && (await exitCode(program, [lsp, '--help'])) === 0) {
    return { command: program, args: [lsp], origin: program };
  }
  return undefined;
}

async function firstProgram(folders: string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    const program = path.join(folder, name);
    if (await isProgram(program)) {
      return program;
    }
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Undefined when this Python can serve, else a clause that says why not. */
async function whyNotPython(python: string): Promise<string | undefined> {
  if (!(await isProgram(python))) {
    return 'which is not a program';
  }
  const probe = 'import importlib.util as u, sys; sys.exit(0 if u.find_spec("osiris") and u.find_spec("osiris.lsp") else 3)';
  switch (await exitCode(python, ['-P', '-c', probe])) {
    case 0:
      return undefined;
    case 3:
      return 'which does not have Osiris; install Osiris into it (see its README) or name another';
    default:
      return 'which is not Python 3.11 or newer';
  }
}

/** Undefined when the program cannot be started, or takes too long. */
async function exitCode(program: string, args: string[]): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 15_000, windowsHide: true }, (error) => {
      resolve(error === null ? 0 : typeof error.code === 'number' ? error.code : undefined);
    });
  });
}

const missing = 'The Osiris language server was not found: no Python 3.11 or newer with Osiris';

/**
 * What is missing and what to do. Folders above the workspace are not searched: they may belong to others, and
 * trusting a folder says nothing about what stands above it.
 */
function notFound(around: Surroundings): string {
  const choose = 'name a Python that has it in the setting osiris.server.interpreter';
  if (around.folders.length === 0) {
    return `${missing} on the PATH. Install Osiris (see its README) and ${choose}.`;
  }
  if (!around.trusted) {
    return `${missing} on the PATH, and the .venv of a folder that is not trusted is not used. Trust this folder, or ${choose}.`;
  }
  return (
    `${missing} in .venv or venv of this folder (those of folders above it are not used) or on the PATH. ` +
    `Install Osiris into a .venv of this folder (see its README), or ${choose}.`
  );
}
