/**
 * Finds the language server: a setting, the workspace's own environment, the managed environment, or, where that cannot
 * be made, a program on the PATH.
 *
 * Nothing here imports `vscode`, so that the search can be tested with plain folders.
 */
import * as path from 'node:path';
import { asModule, canServe, examineInterpreter, isCompatible, isProgram } from './osirisProbe';
import { Cancelled, Problem } from './problem';
import { run } from './processes';
import { outside } from './python';
import type { ServerSettings } from './settings';

export interface ServerCommand {
  command: string;
  args: string[];
  /** Where it was found, for the log, the status item and the report. */
  origin: string;
  /** Whether it is the managed environment, into which the extension may install packages. */
  managed: boolean;
  /** The interpreter, where it is one. */
  python?: string;
}

export interface Surroundings {
  settings: ServerSettings;
  /** Roots of the workspace; used to look for environments only while `trusted`. */
  folders: string[];
  trusted: boolean;
  home: string;
  searchPath: string;
  windows: boolean;
  /** The version of the extension. */
  version: string;
  /** A folder outside the workspace, in which programs are started. */
  cwd: string;
  /** The interpreter of the managed environment, which is made when needed. Throws a Problem. */
  managed: () => Promise<string>;
  /** Told what was passed over, and why. */
  note: (line: string) => void;
}

const lsp = 'lsp';
const managedOrigin = 'managed environment';

/** The server to start. Throws a Problem that says what to do. */
export async function findServer(around: Surroundings): Promise<ServerCommand> {
  return (await findGiven(around)) ?? (await managedOrFallback(around));
}

/** The server of a setting or of the workspace, which needs nothing to be made. */
export async function findGiven(around: Surroundings): Promise<ServerCommand | undefined> {
  return (await fromSettings(around)) ?? (around.trusted ? await fromWorkspace(around) : undefined);
}

/** Expands `~` and `${workspaceFolder}`; a relative path is meant from the first workspace folder. */
export function expand(value: string, around: Pick<Surroundings, 'folders' | 'home'>): string {
  const folder = around.folders[0] ?? around.home;
  const expanded = value.replace(/^~(?=$|[\\/])/, () => around.home).replaceAll('${workspaceFolder}', () => folder);
  return path.isAbsolute(expanded) ? expanded : path.join(folder, expanded);
}

async function fromSettings(around: Surroundings): Promise<ServerCommand | undefined> {
  const { path: program, interpreter } = around.settings;
  if (program !== '') {
    const file = await allowed(program, 'osiris.server.path', around);
    if (file !== undefined) {
      if (!(await isProgram(file))) {
        throw new Problem(`osiris.server.path names ${file}, which is not a program.`, 'osiris.server.path');
      }
      return { command: file, args: [lsp], origin: 'osiris.server.path', managed: false };
    }
  }
  if (interpreter !== '') {
    const file = await allowed(interpreter, 'osiris.server.interpreter', around);
    if (file !== undefined) {
      const examined = await examineInterpreter(file, { cwd: around.cwd });
      if (!canServe(examined)) {
        throw new Problem(`osiris.server.interpreter names ${file}, ${examined.reason}.`, 'osiris.server.interpreter');
      }
      if (!isCompatible(examined.version, around.version)) {
        around.note(`osiris.server.interpreter has Osiris ${examined.version}, this extension is ${around.version}: some features may not work.`);
      }
      return asServer(file, 'osiris.server.interpreter');
    }
  }
  return undefined;
}

/** The file a setting names; undefined for one in a folder that is not trusted, which is passed over. */
async function allowed(value: string, setting: string, around: Surroundings): Promise<string | undefined> {
  const file = expand(value, around);
  if (around.trusted || (await outside([file], around.folders)).length > 0) {
    return file;
  }
  around.note(`${setting} names ${file}, which is in a folder that is not trusted: passed over.`);
  return undefined;
}

async function fromWorkspace(around: Surroundings): Promise<ServerCommand | undefined> {
  const python = around.windows ? path.join('Scripts', 'python.exe') : path.join('bin', 'python');
  for (const folder of around.folders) {
    for (const name of ['.venv', 'venv']) {
      const candidate = path.join(folder, name, python);
      if (!(await isProgram(candidate))) {
        continue;
      }
      const examined = await examineInterpreter(candidate, { cwd: around.cwd });
      const origin = path.join(path.basename(folder), name);
      if (canServe(examined) && isCompatible(examined.version, around.version)) {
        return asServer(candidate, origin);
      }
      const why = canServe(examined)
        ? `it has Osiris ${examined.version}, and this extension is ${around.version}`
        : 'it has no Osiris';
      around.note(`${origin} is passed over: ${why}.`);
    }
  }
  return undefined;
}

async function managedOrFallback(around: Surroundings): Promise<ServerCommand> {
  try {
    return { ...asServer(await around.managed(), managedOrigin), managed: true };
  } catch (error) {
    if (!(error instanceof Problem) || error instanceof Cancelled || !around.trusted) {
      throw error;
    }
    const found = await fromSearchPath(around);
    if (found === undefined) {
      throw error;
    }
    around.note(`${error.message} The Osiris on the PATH serves instead: ${found.command}`);
    return found;
  }
}

async function fromSearchPath(around: Surroundings): Promise<ServerCommand | undefined> {
  // Only absolute entries, and none of the workspace: a folder must not name the program.
  const named = around.searchPath.split(path.delimiter).filter((entry) => path.isAbsolute(entry));
  const folders = await outside(named, around.folders);
  const suffix = around.windows ? '.exe' : '';
  for (const name of ['python3', 'python']) {
    const python = await firstProgram(folders, name + suffix);
    const examined = python === undefined ? undefined : await examineInterpreter(python, { cwd: around.cwd });
    if (python !== undefined && examined !== undefined && canServe(examined) && isCompatible(examined.version, around.version)) {
      return asServer(python, python);
    }
  }
  // Tools such as pipx put the program there alone. Other packages have a program of this name, too.
  const program = await firstProgram(folders, `osiris${suffix}`);
  if (program !== undefined && (await run(program, [lsp, '--help'], { cwd: around.cwd, timeoutMs: 15_000 })).code === 0) {
    return { command: program, args: [lsp], origin: program, managed: false };
  }
  return undefined;
}

function asServer(python: string, origin: string): ServerCommand {
  return { command: python, args: [...asModule, lsp], origin, managed: false, python };
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
