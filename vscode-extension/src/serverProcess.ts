/** The process of the language server, and the language client that talks to it. Both live and end together. */
import { type ChildProcess, spawn } from 'node:child_process';
import type * as vscode from 'vscode';
import { CloseAction, ErrorAction, LanguageClient, type LanguageClientOptions } from 'vscode-languageclient/node';
import { masked } from './masking';
import { Problem } from './problem';
import { endProcess } from './processes';
import type { ServerCommand } from './server';

const startMs = 60_000;
const shutdownMs = 2_000;
const patienceMs = 1_000;

/** The end of the server is the lifecycle's to judge: the language client neither starts it again nor complains. */
const quiet: LanguageClientOptions = {
  errorHandler: {
    error: () => ({ action: ErrorAction.Continue, handled: true }),
    closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
  },
  initializationFailedHandler: () => false,
};

export class ServerProcess {
  readonly client: LanguageClient;
  private readonly child: ChildProcess;
  private readonly gone: Promise<string>;
  private halted = false;
  private lastWords = '';

  constructor(
    server: ServerCommand,
    cwd: string,
    env: NodeJS.ProcessEnv,
    options: LanguageClientOptions,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const child = spawn(server.command, server.args, { cwd, env, shell: false, windowsHide: true, stdio: 'pipe' });
    this.child = child;
    child.stderr.on('data', (data: Buffer) => (this.lastWords = (this.lastWords + data.toString()).slice(-2_000)));
    this.gone = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    // `detached`: this class ends the process, not the language client.
    this.client = new LanguageClient('osiris', 'Osiris', async () => ({ process: child, detached: true }), { ...options, ...quiet });
  }

  /** Resolves when it serves; calls `ended` once if it ends afterwards without having been halted. */
  async start(ended: (how: string) => void): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Problem(`The Osiris language server did not answer within ${startMs / 1000} s.`)), startMs);
    });
    const died = this.gone.then((how) => {
      throw new Problem(`The Osiris language server ended while it started (${how}). ${this.lastLine()}`.trim());
    });
    died.catch(() => undefined);
    try {
      await Promise.race([this.client.start(), died, late]);
    } catch (error) {
      await this.halt();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    void this.gone.then(async (how) => {
      if (!this.halted) {
        await this.letGo();
        ended(how);
      }
    });
  }

  /** Ends it, in whatever state it is. Resolves when the process is gone. */
  async halt(): Promise<void> {
    this.halted = true;
    if (this.client.isRunning()) {
      await this.client.stop(shutdownMs).catch((error) => this.log.debug(`Stopping the server: ${String(error)}`));
    }
    await endProcess(this.child, patienceMs);
    await this.letGo();
  }

  /** Takes back what the language client has registered with the editor. */
  private async letGo(): Promise<void> {
    try {
      await this.client.dispose(patienceMs);
    } catch (error) {
      this.log.debug(`Letting go of the server: ${String(error)}`); // it is gone, and cannot be asked to stop
    }
  }

  private lastLine(): string {
    return masked(this.lastWords.trim().split('\n').pop() ?? '');
  }
}
