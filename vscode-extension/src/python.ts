/** Finds the Python that the managed environment is made with. Nothing here imports `vscode`. */
import { realpath } from 'node:fs/promises';
import * as path from 'node:path';
import { run } from './processes';

export const oldestPython = [3, 11] as const;

export interface BasePython {
  /** The interpreter itself: not a shim, and not that of a virtual environment. */
  executable: string;
  version: string;
  /** How it was found, for the log and the report. */
  origin: string;
}

export interface PythonSearch {
  /** The setting `osiris.server.basePython`, or empty. Where it is set, nothing else is tried. */
  setting: string;
  searchPath: string;
  home: string;
  windows: boolean;
  /** Folders of the workspace: no program in them is started. */
  folders: string[];
  /** Interpreters that another extension knows, tried last. */
  others: string[];
  /** A folder to start programs in. */
  cwd: string;
}

/** Why an interpreter cannot be used, each as `path: reason`; for the report. */
export interface NoPython {
  tried: string[];
}

const probe = `
import importlib.util, json, platform, sys
print(json.dumps({
    "version": ".".join(map(str, sys.version_info[:3])),
    "final": sys.version_info.releaselevel == "final",
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
    "implementation": platform.python_implementation(),
    "venv": importlib.util.find_spec("venv") is not None,
}))
`;

/** Names in the order of preference: what the user calls Python first, then the versions that all packages know. */
const names = ['python3', 'python', 'python3.13', 'python3.12', 'python3.11', 'python3.14'];

/** Where programs are that an editor started from the desktop does not have on its PATH. */
const usualFolders = ['/opt/homebrew/bin', '/usr/local/bin', '/usr/bin', '.local/bin', '.pyenv/shims'];

/** The first Python that will do. */
export async function findBasePython(search: PythonSearch): Promise<BasePython | NoPython> {
  const tried: string[] = [];
  const seen = new Set<string>();
  for (const candidate of await candidates(search)) {
    const key = [candidate.program, ...candidate.args].join(' ');
    if (seen.has(key)) {
      continue;
    }
    seen.add(key);
    const found = await examine(candidate, search.cwd);
    if (typeof found !== 'string') {
      return found;
    }
    if (found !== '') {
      tried.push(`${key}: ${found}`);
    }
  }
  return { tried };
}

interface Candidate {
  program: string;
  args: string[];
  origin: string;
}

async function candidates(search: PythonSearch): Promise<Candidate[]> {
  if (search.setting !== '') {
    return [{ program: search.setting, args: [], origin: 'osiris.server.basePython' }];
  }
  const suffix = search.windows ? '.exe' : '';
  const folders = await foldersToSearch(search);
  const found: Candidate[] = [];
  for (const name of names) {
    for (const folder of folders) {
      found.push({ program: path.join(folder, name + suffix), args: [], origin: 'PATH' });
    }
  }
  if (search.windows) {
    // The launcher finds interpreters that were installed without being put on the PATH.
    found.unshift(...folders.map((folder) => ({ program: path.join(folder, 'py.exe'), args: ['-3'], origin: 'py -3' })));
  }
  const others = await outside(search.others, search.folders);
  return [...found, ...others.map((program) => ({ program, args: [], origin: 'the Python extension' }))];
}

/** Absolute entries of the PATH that are not part of the workspace: a relative one would let a folder name the program. */
async function foldersToSearch(search: PythonSearch): Promise<string[]> {
  const named = search.searchPath.split(path.delimiter).filter((entry) => path.isAbsolute(entry));
  const usual = search.windows ? [] : usualFolders.map((folder) => path.resolve(search.home, folder));
  return outside([...new Set([...named, ...usual])], search.folders);
}

/** Those of the paths that do not lie in one of the folders, links resolved. */
export async function outside(paths: string[], folders: string[]): Promise<string[]> {
  const roots = await Promise.all(folders.map(resolved));
  const kept = await Promise.all(
    paths.map(async (file) => {
      const places = [file, await resolved(file)];
      const within = [...folders, ...roots].some((root) => places.some((place) => contains(root, place)));
      return within ? [] : [file];
    }),
  );
  return kept.flat();
}

function contains(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative === '' || (!relative.startsWith('..') && !path.isAbsolute(relative));
}

async function resolved(file: string): Promise<string> {
  return realpath(file).catch(() => file);
}

/** The interpreter behind a candidate; else why it will not do, empty when there is no such program. */
async function examine({ program, args, origin }: Candidate, cwd: string): Promise<BasePython | string> {
  const wanted = origin === 'osiris.server.basePython';
  const done = await run(program, [...args, '-I', '-c', probe], { cwd, timeoutMs: 15_000 });
  if (done.code === undefined) {
    return wanted || !done.errors.includes('ENOENT') ? 'it could not be started' : '';
  }
  const answer = parsed(done.output);
  if (answer === undefined) {
    return done.code === 0 ? 'it is not Python' : `it is not Python ${oldestPython.join('.')} or newer`;
  }
  if (!isAtLeast(answer.version, oldestPython)) {
    return `it is Python ${answer.version}, and ${oldestPython.join('.')} or newer is needed`;
  }
  if (!answer.venv) {
    return 'it lacks the module venv';
  }
  if (!wanted && (!answer.final || answer.implementation !== 'CPython')) {
    return `it is ${answer.implementation} ${answer.version}${answer.final ? '' : ' before its release'}`;
  }
  return { executable: answer.executable, version: answer.version, origin };
}

interface Answer {
  version: string;
  final: boolean;
  executable: string;
  implementation: string;
  venv: boolean;
}

function parsed(output: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(output);
    return typeof answer === 'object' && answer !== null && 'executable' in answer ? (answer as Answer) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a version such as `3.11.2` is at least another. */
export function isAtLeast(version: string, least: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1]);
}
