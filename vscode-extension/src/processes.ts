/** Starts programs, waits for them, and ends them. No shell is ever between. Nothing here imports `vscode`. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface Ended {
  /** The exit code; undefined when the program could not be started, was ended by a signal or took too long. */
  code: number | undefined;
  output: string;
  errors: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
  /** Ends the program, and what it has started, when it fires. */
  signal?: AbortSignal;
  /** Called with every full line of standard output and standard error, as it comes. */
  onLine?: (line: string) => void;
}

/** Runs a program to its end. Never rejects. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd, env, timeoutMs, signal, onLine } = options;
  if (signal?.aborted === true) {
    return { code: undefined, output: '', errors: '' };
  }
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      detached: process.platform !== 'win32', // a group of its own, so that all of it can be ended
    });
    let [output, errors] = ['', ''];
    const end = (): void => endGroup(child);
    const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
    signal?.addEventListener('abort', end);
    const lines = onLine === undefined ? undefined : new Lines(onLine);
    child.stdout.setEncoding('utf8').on('data', (text: string) => ((output += text), lines?.take(text)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => ((errors += text), lines?.take(text)));
    let settled = false;
    const settle = (code: number | undefined): void => {
      if (!settled) {
        settled = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        lines?.close();
        resolve({ code, output, errors });
      }
    };
    child.once('error', (error) => {
      errors += error.message;
      settle(undefined);
    });
    child.once('close', (code) => settle(code ?? undefined));
  });
}

/** Ends a process: politely, and by force when it is still there after `patienceMs`. Resolves when it is gone. */
export async function endProcess(child: ChildProcess, patienceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await gone;
  clearTimeout(timer);
}

/** Whether a process of this machine exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    if (process.platform === 'win32') {
      spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    } else {
      process.kill(-child.pid, 'SIGKILL');
    }
  } catch {
    // It has ended by itself in the meantime.
  }
}

class Lines {
  private rest = '';

  constructor(private readonly give: (line: string) => void) {}

  take(text: string): void {
    const lines = (this.rest + text).split(/\r\n|\n|\r/);
    this.rest = lines.pop() ?? '';
    lines.filter((line) => line.trim() !== '').forEach(this.give);
  }

  close(): void {
    if (this.rest.trim() !== '') {
      this.give(this.rest);
    }
    this.rest = '';
  }
}
