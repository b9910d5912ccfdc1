/**
 * The managed environment: a virtual environment in the extension's own storage, made from the wheel that comes with
 * the extension. Nothing here imports `vscode`.
 *
 * Each attempt gets a folder of its own under `root`, and writes its stamp last: a folder without a stamp is never
 * used. One lock keeps windows from making two. What is left over, of attempts and of older versions, is removed later.
 */
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import type { Bundle } from './bundle';
import { isHeld, type Release, tryLock } from './lock';
import { canServe, examineInterpreter } from './osirisProbe';
import { explainFailure, type Network, pipEnvironment, pipInstall } from './pip';
import { Cancelled, Problem } from './problem';
import { isAlive, run } from './processes';
import { findBasePython, oldestPython, type PythonSearch } from './python';

/** What an environment is, as its stamp says. */
export interface Stamp {
  wheel: string;
  version: string;
  base: string;
  python: string;
  /** The value of `osiris.server.basePython` it was made for. */
  requested: string;
  extras: string[];
  /** Extras that an environment of an earlier version had, and that this one is still to get. */
  wanted?: string[];
}

export interface Environment {
  folder: string;
  python: string;
  stamp: Stamp;
}

export type Report = (message: string) => void;

export interface Surroundings {
  /** The folder that holds the environments; made when needed. */
  root: string;
  bundle: Bundle;
  network: Network;
  variables: NodeJS.ProcessEnv;
  search: PythonSearch;
  log: (line: string) => void;
  /** Shows the user that work goes on, with a way to cancel it. */
  working: <T>(title: string, work: (report: Report, signal: AbortSignal) => Promise<T>) => Promise<T>;
}

const stampName = 'osiris-environment.json';
const underWayName = 'installing';
const usersName = 'users';
const pollMs = 250;

export class ManagedEnvironment {
  constructor(private readonly around: Surroundings) {}

  /** The environment of this version of the extension, if one is ready and still works. */
  async find(): Promise<Environment | undefined> {
    const { root, bundle, search, variables } = this.around;
    for (const environment of await stamped(root)) {
      const { wheel, requested } = environment.stamp;
      const fits = wheel === bundle.sha256 && (search.setting === '' || search.setting === requested);
      if (!fits || (await this.isHalfChanged(environment))) {
        continue;
      }
      const examined = await examineInterpreter(environment.python, { cwd: root, env: ownVariables(variables) });
      if (canServe(examined)) {
        return environment;
      }
      this.around.log(`${environment.folder} does not work any more (its Python ${environment.stamp.base} changed or is gone).`);
    }
    return undefined;
  }

  /** The environment, which is made when there is none. Throws a Problem that says what to do. */
  async ensure(signal: AbortSignal): Promise<Environment> {
    return (
      (await this.find()) ??
      this.around.working('Osiris sets up its Python environment', async (report, cancelled) => {
        const either = AbortSignal.any([signal, cancelled]);
        return this.locked(report, either, () => this.find(), () => this.make(report, either));
      })
    );
  }

  /** Adds extras of the distribution, such as `run`. Throws a Problem. */
  async install(environment: Environment, ...extras: string[]): Promise<void> {
    const added = async (): Promise<true | undefined> => {
      const stamp = await readStamp(environment.folder);
      return extras.every((extra) => stamp?.extras.includes(extra)) ? true : undefined;
    };
    await this.around.working(`Osiris installs what it needs ${purpose(extras)}`, (report, signal) =>
      this.locked(report, signal, added, () => this.add(environment, extras, report, signal)),
    );
  }

  /**
   * Adds the extras that the environment of an earlier version had. Who cancels it does not want them now: then they
   * come when they are needed. Throws a Problem.
   */
  async restore(environment: Environment): Promise<void> {
    const wanted = (await readStamp(environment.folder))?.wanted ?? [];
    if (wanted.length === 0) {
      return;
    }
    try {
      await this.install(environment, ...wanted);
    } catch (error) {
      if (error instanceof Cancelled) {
        await this.forgetWanted(environment);
      }
      throw error;
    }
  }

  /** Notes that this window uses the environment, so that no other removes it; the function takes the note back. */
  async use(environment: Environment): Promise<() => Promise<void>> {
    const folder = path.join(environment.folder, usersName);
    const note = path.join(folder, String(process.pid));
    await mkdir(folder, { recursive: true });
    await writeFile(note, '');
    return () => rm(note, { force: true });
  }

  /**
   * Removes every environment that no window uses: half made, of another version, or broken. To be called by a window
   * that uses the right one.
   */
  async cleanUp(): Promise<void> {
    const release = await tryLock(this.lock);
    if (release === undefined) {
      return;
    }
    try {
      for (const folder of await foldersIn(this.around.root)) {
        if (!isUsed(folder)) {
          this.around.log(`Removing ${folder}, which no window uses.`);
          await rm(folder, { recursive: true, force: true }).catch((error) => this.around.log(`Not removed: ${error}`));
        }
      }
    } finally {
      await release();
    }
  }

  /** What pip said last, or undefined. */
  async lastOutput(): Promise<string | undefined> {
    return readFile(this.outputFile, 'utf8').catch(() => undefined);
  }

  /** All environments that are there, for the report. */
  async all(): Promise<Environment[]> {
    return stamped(this.around.root);
  }

  private get lock(): string {
    return path.join(this.around.root, '.lock');
  }

  private get outputFile(): string {
    return path.join(this.around.root, 'last-install.log');
  }

  /** Does the work under the lock, unless another process has done it by then. */
  private async locked<T>(
    report: Report,
    signal: AbortSignal,
    done: () => Promise<T | undefined>,
    work: () => Promise<T>,
  ): Promise<T> {
    for (;;) {
      refuseIfCancelled(signal);
      const release: Release | undefined = await this.tryLockOrExplain();
      if (release === undefined) {
        report('another window is at it');
        await new Promise((resolve) => setTimeout(resolve, pollMs));
        continue;
      }
      try {
        return (await done()) ?? (await work());
      } finally {
        await release();
      }
    }
  }

  private async tryLockOrExplain(): Promise<Release | undefined> {
    try {
      return await tryLock(this.lock);
    } catch (error) {
      throw new Problem(`Osiris cannot make its Python environment in ${this.around.root}: ${(error as Error).message}`);
    }
  }

  private async make(report: Report, signal: AbortSignal): Promise<Environment> {
    const { root, bundle, search, log } = this.around;
    report('looking for Python');
    const base = await findBasePython(search);
    if ('tried' in base) {
      throw noPython(search, base.tried);
    }
    log(`Making a Python environment with Python ${base.version} at ${base.executable} (${base.origin}).`);
    report(`with Python ${base.version}`);
    const folder = await mkdtemp(path.join(root, `${bundle.sha256.slice(0, 8)}-`));
    try {
      const env = ownVariables(this.around.variables);
      const made = await run(base.executable, ['-I', '-m', 'venv', '--without-pip', folder], { cwd: root, signal, env });
      refuseIfCancelled(signal);
      if (made.code !== 0) {
        const reason = lastLine(made.errors || made.output);
        throw new Problem(`${base.executable} could not make a virtual environment: ${reason}`, 'osiris.server.basePython');
      }
      const python = pythonIn(folder, search.windows);
      await this.pip(python, bundle.wheel, report, signal);
      const examined = await examineInterpreter(python, { cwd: root, env });
      if (!canServe(examined)) {
        throw new Problem(`The Python environment in ${folder} was made, but it holds ${python}, ${examined.reason}.`);
      }
      const wanted = [...new Set((await stamped(root)).flatMap(({ stamp }) => [...stamp.extras, ...(stamp.wanted ?? [])]))];
      const stamp: Stamp = {
        wheel: bundle.sha256,
        version: examined.version,
        base: base.executable,
        python: base.version,
        requested: search.setting,
        extras: [],
        ...(wanted.length === 0 ? {} : { wanted }),
      };
      await writeStamp(folder, stamp);
      log(`The Python environment is ready: ${folder}`);
      return { folder, python, stamp };
    } catch (error) {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
      throw error;
    }
  }

  private async add(environment: Environment, extras: string[], report: Report, signal: AbortSignal): Promise<true> {
    const mark = path.join(environment.folder, underWayName);
    await writeFile(mark, extras.join(' '));
    try {
      await this.pip(environment.python, `${this.around.bundle.wheel}[${extras.join(',')}]`, report, signal);
      const stamp = (await readStamp(environment.folder)) ?? environment.stamp;
      const all = new Set([...stamp.extras, ...extras]);
      const wanted = (stamp.wanted ?? []).filter((extra) => !all.has(extra));
      await writeStamp(environment.folder, { ...stamp, extras: [...all], wanted });
    } catch (error) {
      // Where pip had begun to write, the mark stays, and the environment is made anew.
      if (error instanceof Cancelled || (error instanceof PipProblem && !error.began)) {
        await rm(mark, { force: true });
      }
      throw error;
    }
    await rm(mark, { force: true });
    return true;
  }

  private async forgetWanted(environment: Environment): Promise<void> {
    const stamp = await readStamp(environment.folder);
    if (stamp !== undefined) {
      await writeStamp(environment.folder, { ...stamp, wanted: [] });
    }
  }

  private async pip(python: string, requirement: string, report: Report, signal: AbortSignal): Promise<void> {
    const { root, bundle, network, variables, log } = this.around;
    const env = pipEnvironment(variables, network);
    const done = await pipInstall({ python, pip: bundle.pip, requirements: [requirement], env, cwd: root, signal, progress: report });
    done.output.split('\n').forEach(log);
    await writeFile(this.outputFile, done.output).catch(() => undefined);
    if (done.ok) {
      return;
    }
    if (!done.began) {
      refuseIfCancelled(signal);
    }
    throw new PipProblem(`Osiris could not install its Python packages. ${explainFailure(done.output, env)}`, done.began);
  }

  /** Whether a window ended while pip was writing into this environment. */
  private async isHalfChanged({ folder }: Environment): Promise<boolean> {
    return (await exists(path.join(folder, underWayName))) && !(await isHeld(this.lock));
  }
}

class PipProblem extends Problem {
  constructor(
    message: string,
    readonly began: boolean,
  ) {
    super(message);
  }
}

/** The variables for the managed environment: nothing that another Python was set up with gets into it. */
export function ownVariables(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { PYTHONPATH: _path, PYTHONHOME: _home, PYTHONSTARTUP: _startup, ...rest } = variables;
  return rest;
}

export function pythonIn(folder: string, windows: boolean): string {
  return windows ? path.join(folder, 'Scripts', 'python.exe') : path.join(folder, 'bin', 'python');
}

function refuseIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new Cancelled('Osiris installed nothing, because you cancelled it. Osiris: Restart Server, or the next run, tries again.');
  }
}

/** `to run pipelines`, `for mysql and postgres`. */
function purpose(extras: string[]): string {
  const others = extras.filter((extra) => extra !== 'run');
  const both = [extras.includes('run') ? 'to run pipelines' : '', others.length > 0 ? `for ${others.join(' and ')}` : ''];
  return both.filter((part) => part !== '').join(' and ');
}

function noPython(search: PythonSearch, tried: string[]): Problem {
  const needed = `Python ${oldestPython.join('.')} or newer`;
  const seen = tried.length === 0 ? '' : ` Found, but of no use: ${tried.join('; ')}.`;
  if (search.setting !== '') {
    const reasons = tried.map((line) => line.slice(line.indexOf(': ') + 2)).join('; ');
    return new Problem(
      `osiris.server.basePython names ${search.setting}, which will not do: ${reasons}.`,
      'osiris.server.basePython',
    );
  }
  return new Problem(
    `Osiris needs ${needed}, and there is none on the PATH.${seen} Install one, or name it in the setting ` +
      'osiris.server.basePython, then run Osiris: Restart Server.',
    'osiris.server.basePython',
  );
}

async function stamped(root: string): Promise<Environment[]> {
  const found: Environment[] = [];
  for (const folder of await foldersIn(root)) {
    const stamp = await readStamp(folder);
    if (stamp !== undefined) {
      found.push({ folder, python: pythonIn(folder, process.platform === 'win32'), stamp });
    }
  }
  return found;
}

async function foldersIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  return folders.map((entry) => path.join(root, entry.name)).sort();
}

async function readStamp(folder: string): Promise<Stamp | undefined> {
  try {
    const stamp = JSON.parse(await readFile(path.join(folder, stampName), 'utf8')) as Partial<Stamp>;
    return typeof stamp.wheel === 'string' && Array.isArray(stamp.extras) ? (stamp as Stamp) : undefined;
  } catch {
    return undefined;
  }
}

async function writeStamp(folder: string, stamp: Stamp): Promise<void> {
  const file = path.join(folder, stampName);
  await writeFile(`${file}.new`, `${JSON.stringify(stamp, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

function isUsed(folder: string): boolean {
  try {
    return readdirSync(path.join(folder, usersName)).some((name) => isAlive(Number(name)));
  } catch {
    return false;
  }
}

async function exists(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').pop() ?? '';
}
