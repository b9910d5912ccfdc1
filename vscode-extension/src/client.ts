/** The language client: one server process, started, stopped and restarted one after the other, never at once. */
import * as os from 'node:os';
import * as vscode from 'vscode';
import {
  type ExecuteCommandParams,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  type StaticFeature,
  TransportKind,
} from 'vscode-languageclient/node';
import { messageOf } from './answers';
import { commandIds } from './commandIds';
import { projectFiles } from './detect';
import { findServer, isProblem, type ServerCommand, type ServerProblem } from './server';
import { serverSettings } from './settings';
import type { Status } from './status';

/**
 * Tells the server that it may send runs as `osiris/runEvent` notifications, and that suggestions may ask for the next
 * ones by VS Code's own command `editor.action.triggerSuggest`.
 */
const announceAbilities: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    capabilities.experimental = { ...capabilities.experimental, osiris: { runEvent: true, triggerSuggest: true } };
  },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};

export interface RunEventParams {
  runId: string;
  event: Record<string, unknown>;
}

export class Client implements vscode.Disposable {
  private running: LanguageClient | undefined;
  private failed = false;
  private last: Promise<unknown> = Promise.resolve();
  private readonly runEvents = new vscode.EventEmitter<RunEventParams>();
  private readonly stops = new vscode.EventEmitter<void>();
  readonly onRunEvent = this.runEvents.event;
  /** The server ended, asked to or not. */
  readonly onStopped = this.stops.event;

  /**
   * @param log where the server's own messages go
   * @param storage a folder outside every workspace, in which the server is started
   */
  constructor(
    private readonly status: Status,
    private readonly log: vscode.LogOutputChannel,
    private readonly storage: vscode.Uri,
  ) {}

  /** Starts the server for a document. Where that failed, only a command, a setting or trust tries again. */
  serve(): void {
    if (!this.failed) {
      void this.start();
    }
  }

  /** Starts the server unless it runs. Resolves to whether one runs; a failure was shown to the user. */
  start(): Promise<boolean> {
    return this.enqueue(async () => {
      if (this.running !== undefined && !this.running.needsStart()) {
        return this.attempt(this.running); // it runs, or the language client is starting it again after a crash
      }
      await this.halt();
      return this.launch();
    });
  }

  restart(): Promise<boolean> {
    return this.enqueue(async () => {
      await this.halt();
      return this.launch();
    });
  }

  /** Restarts the server after a change of settings or trust; where nothing has asked for one yet, none is started. */
  renew(): Promise<boolean> {
    return this.enqueue(async () => {
      if (this.running === undefined && !this.failed) {
        return false;
      }
      await this.halt();
      return this.launch();
    });
  }

  stop(): Promise<void> {
    return this.enqueue(() => this.halt());
  }

  /** Calls a command of the server, which is started if need be. Undefined when there is no server. */
  async execute<T>(command: string, argument?: unknown): Promise<T | undefined> {
    if (!(await this.start())) {
      return undefined;
    }
    const params: ExecuteCommandParams = { command, arguments: argument === undefined ? [] : [argument] };
    return (await this.running?.sendRequest(ExecuteCommandRequest.type, params)) as T | undefined;
  }

  dispose(): void {
    this.runEvents.dispose();
    this.stops.dispose();
  }

  private enqueue<T>(work: () => Promise<T>): Promise<T> {
    const next = this.last.then(work);
    this.last = next.catch(() => undefined);
    return next;
  }

  private async launch(): Promise<boolean> {
    this.failed = false;
    this.status.starting();
    const found = await findServer({
      settings: serverSettings(),
      folders: (vscode.workspace.workspaceFolders ?? []).filter((f) => f.uri.scheme === 'file').map((f) => f.uri.fsPath),
      trusted: vscode.workspace.isTrusted,
      home: os.homedir(),
      searchPath: process.env['PATH'] ?? '',
      windows: process.platform === 'win32',
    });
    if (isProblem(found)) {
      this.fail(found);
      return false;
    }
    return this.attempt(await this.prepare(found));
  }

  private async attempt(client: LanguageClient): Promise<boolean> {
    try {
      await client.start();
      return true;
    } catch (error) {
      this.running = undefined;
      this.fail({ problem: `The Osiris language server did not start: ${messageOf(error)}` });
      return false;
    }
  }

  private async prepare(server: ServerCommand): Promise<LanguageClient> {
    await vscode.workspace.fs.createDirectory(this.storage);
    this.log.info(`Starting ${[server.command, ...server.args].join(' ')} (found by ${server.origin})`);
    const client = new LanguageClient(
      'osiris',
      'Osiris',
      {
        command: server.command,
        args: server.args,
        transport: TransportKind.stdio,
        options: { cwd: this.storage.fsPath, shell: false },
      },
      this.clientOptions(),
    );
    client.registerFeature(announceAbilities);
    client.onNotification('osiris/runEvent', (params: RunEventParams) => this.runEvents.fire(params));
    client.onDidChangeState(({ newState }) => this.follow(client, newState, server.origin));
    this.running = client;
    return client;
  }

  /** Keeps the status true, also when the server dies and the language client starts it again by itself. */
  private follow(client: LanguageClient, state: State, origin: string): void {
    if (client !== this.running) {
      return;
    }
    switch (state) {
      case State.Starting:
        return this.status.starting();
      case State.Running:
        return this.status.running(client.initializeResult?.serverInfo?.version ?? '', origin);
      case State.Stopped:
        this.status.stopped();
        return this.stops.fire();
    }
  }

  private clientOptions(): LanguageClientOptions {
    return {
      documentSelector: [
        { language: 'oml', scheme: 'file' },
        { language: 'oml', scheme: 'untitled' },
        ...projectFiles.map((name) => ({ scheme: 'file', pattern: `**/${name}` })),
      ],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      traceOutputChannel: this.log,
      initializationOptions: { trusted: vscode.workspace.isTrusted },
      synchronize: { configurationSection: 'osiris' },
    };
  }

  private async halt(): Promise<void> {
    const client = this.running;
    this.running = undefined;
    try {
      await client?.dispose();
    } catch (error) {
      // A server that never came up, or that is gone, cannot be asked to stop; it is not there, which is what was wanted.
      this.log.debug(`Stopping the server: ${String(error)}`);
    }
    this.status.stopped();
    this.stops.fire();
  }

  private fail(problem: ServerProblem): void {
    this.failed = true;
    this.status.failed(problem.problem);
    this.log.error(problem.problem);
    void this.offerHelp(problem);
  }

  private async offerHelp({ problem, setting }: ServerProblem): Promise<void> {
    const settings = 'Open Settings';
    const again = 'Try Again';
    const log = 'Show Log';
    const choice = await vscode.window.showErrorMessage(problem, settings, again, log);
    if (choice === settings) {
      await vscode.commands.executeCommand('workbench.action.openSettings', setting ?? 'osiris.server');
    } else if (choice === again) {
      await vscode.commands.executeCommand(commandIds.restartServer);
    } else if (choice === log) {
      this.log.show();
    }
  }
}
