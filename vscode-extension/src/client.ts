/** The language server of this window: found or made, started, watched and ended by one state machine. */
import * as os from 'node:os';
import * as vscode from 'vscode';
import {
  type CancellationToken,
  type ExecuteCommandParams,
  ExecuteCommandRequest,
  LSPErrorCodes,
  type LanguageClientOptions,
  ProgressType,
  ResponseError,
  RevealOutputChannelOn,
  type StaticFeature,
} from 'vscode-languageclient/node';
import type { AiKeys } from './aiKeys';
import { messageOf, missingPackages } from './answers';
import type { ChatEvent } from './chatView';
import { commandIds } from './commandIds';
import { projectFiles } from './detect';
import { askModel, type ModelHost, type ModelRequest, offersModels } from './editorModel';
import { ownVariables } from './environment';
import { Lifecycle, type State } from './lifecycle';
import { type Managed, workspaceFolders } from './managed';
import { Cancelled, type Problem } from './problem';
import { findGiven, findServer, type ServerCommand, type Surroundings } from './server';
import { ServerProcess } from './serverProcess';
import { serverSettings } from './settings';
import type { Status } from './status';
import { hideYamlDuplicates } from './yamlNeighbour';

/**
 * Tells the server that it may send runs and conversations as notifications, that suggestions may ask for the next ones
 * by VS Code's own command `editor.action.triggerSuggest`, that it may offer to read a database, that schemas are shown by
 * their own URIs, and that keys of AI providers and, in versions that have them, AI models are here.
 */
const announceAbilities: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    const modelRequest = offersModels(vscode as unknown as ModelHost);
    const osiris = { runEvent: true, chatEvent: true, triggerSuggest: true, discoveryOffer: true, secretRequest: true, modelRequest };
    capabilities.experimental = { ...capabilities.experimental, osiris, osirisSchemaView: true };
  },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};

const pieceOfAnswer = new ProgressType<{ text: string }>();

export interface RunEventParams {
  runId: string;
  event: Record<string, unknown>;
}

export interface ChatEventParams {
  conversation: string;
  event: ChatEvent;
}

export class Client implements vscode.Disposable {
  private readonly life: Lifecycle<ServerCommand>;
  private process: ServerProcess | undefined;
  private readonly runEvents = new vscode.EventEmitter<RunEventParams>();
  private readonly chatEvents = new vscode.EventEmitter<ChatEventParams>();
  private readonly starts = new vscode.EventEmitter<void>();
  private readonly stops = new vscode.EventEmitter<void>();
  private readonly catalogs = new vscode.EventEmitter<void>();
  readonly onRunEvent = this.runEvents.event;
  readonly onChatEvent = this.chatEvents.event;
  /** Something else is known of a database, or it is being read. */
  readonly onCatalogChanged = this.catalogs.event;
  readonly onStarted = this.starts.event;
  private readonly settings = new vscode.EventEmitter<void>();
  /** The server was told of changed settings. */
  readonly onSettingsSent = this.settings.event;
  /** The server ended, asked to or not. */
  readonly onStopped = this.stops.event;
  /**
   * What becomes of the server's own commands when the editor calls them, as a click on a code lens does; those that
   * are not named here go to the server as they are.
   */
  routes: Record<string, (argument: unknown) => Promise<unknown>> = {};
  /** What was passed over in the last search for a server, for the report. */
  notes: string[] = [];

  /**
   * @param log where the server's own messages go
   * @param storage a folder outside every workspace, in which the server is started
   */
  constructor(
    private readonly status: Status,
    private readonly log: vscode.LogOutputChannel,
    private readonly storage: vscode.Uri,
    private readonly version: string,
    private readonly managed: Managed,
    private readonly keys: AiKeys,
  ) {
    this.life = new Lifecycle<ServerCommand>({
      prepare: (signal) => this.prepare(signal),
      launch: (server, ended) => this.launch(server, ended),
      halt: () => this.halt(),
      later: (ms, work) => {
        const timer = setTimeout(work, ms);
        return () => clearTimeout(timer);
      },
      now: () => Date.now(),
      show: (state) => this.show(state),
    });
  }

  get state(): State<ServerCommand> {
    return this.life.state;
  }

  /** The version the running server gives itself. */
  get serverVersion(): string | undefined {
    return this.process?.client.initializeResult?.serverInfo?.version;
  }

  /** Starts the server for a document. Where that failed, only a command, a setting or trust tries again. */
  serve(): void {
    this.life.send({ name: 'needed' });
  }

  restart(): void {
    this.life.send({ name: 'restart' });
  }

  /** A setting, an interpreter or trust changed. */
  changed(): void {
    this.life.send({ name: 'changed' });
  }

  /** The folders of the workspace changed; the server is started anew only if another one is to serve them. */
  async foldersChanged(): Promise<void> {
    const { state } = this.life;
    if (state.name !== 'running') {
      return state.name === 'failed' ? this.changed() : undefined;
    }
    const given = await findGiven(this.surroundings(AbortSignal.timeout(60_000))).catch(() => undefined);
    const same = given === undefined ? state.server.managed : given.command === state.server.command;
    if (!same) {
      this.changed();
    }
  }

  async stop(): Promise<void> {
    this.life.send({ name: 'stop' });
    await this.life.settled();
    await this.managed.release();
  }

  /** Whether a server serves, once it is clear. */
  async isServed(): Promise<boolean> {
    return (await this.life.settled()) !== undefined;
  }

  /** The server that serves, which is started if need be. Undefined when there is none. */
  async server(): Promise<ServerCommand | undefined> {
    this.life.send({ name: 'needed' });
    await this.life.settled();
    const { state } = this.life;
    return state.name === 'running' ? state.server : undefined;
  }

  /** Calls a command of the server, which is started if need be. Undefined when there is no server. */
  async execute<T>(command: string, argument?: unknown): Promise<T | undefined> {
    this.life.send({ name: this.life.state.name === 'failed' ? 'restart' : 'needed' });
    return (await this.life.settled()) === undefined ? undefined : this.request<T>(command, argument);
  }

  /**
   * As `execute`; where packages are missing for it, they are installed into the managed environment, with progress,
   * and the command is called once more.
   */
  async executeWithPackages<T>(command: string, argument?: unknown): Promise<T | undefined> {
    try {
      return await this.execute<T>(command, argument);
    } catch (error) {
      const missing = missingPackages(error);
      const { state } = this.life;
      if (missing?.extra === undefined || state.name !== 'running' || !state.server.managed) {
        throw error;
      }
      await this.managed.install(missing.extra);
      return this.execute<T>(command, argument);
    }
  }

  dispose(): void {
    vscode.Disposable.from(this.runEvents, this.chatEvents, this.starts, this.stops, this.catalogs, this.settings).dispose();
  }

  private async request<T>(command: string, argument: unknown): Promise<T | undefined> {
    const params: ExecuteCommandParams = { command, arguments: argument === undefined ? [] : [argument] };
    return (await this.process?.client.sendRequest(ExecuteCommandRequest.type, params)) as T | undefined;
  }

  private async prepare(signal: AbortSignal): Promise<ServerCommand> {
    await vscode.workspace.fs.createDirectory(this.storage);
    this.notes = [];
    return findServer(this.surroundings(signal));
  }

  private surroundings(signal: AbortSignal): Surroundings {
    return {
      settings: serverSettings(),
      folders: workspaceFolders(),
      trusted: vscode.workspace.isTrusted,
      home: os.homedir(),
      searchPath: process.env['PATH'] ?? '',
      windows: process.platform === 'win32',
      version: this.version,
      cwd: this.storage.fsPath,
      managed: () => this.managed.interpreter(signal),
      note: (line) => {
        this.notes.push(line);
        this.log.warn(line);
      },
    };
  }

  private async launch(server: ServerCommand, ended: (how: string) => void): Promise<void> {
    this.log.info(`Starting ${[server.command, ...server.args].join(' ')} (found by ${server.origin})`);
    const env = server.managed ? ownVariables(process.env) : process.env;
    const started = new ServerProcess(server, this.storage.fsPath, env, this.clientOptions(), this.log);
    started.client.registerFeature(announceAbilities);
    started.client.onNotification('osiris/runEvent', (params: RunEventParams) => this.runEvents.fire(params));
    started.client.onNotification('osiris/chatEvent', (params: ChatEventParams) => this.chatEvents.fire(params));
    started.client.onNotification('osiris/catalogChanged', () => this.catalogs.fire());
    started.client.onRequest('osiris/secret', (request: unknown) => this.keys.answer(request));
    started.client.onRequest('osiris/modelRequest', (request: ModelRequest & { partialResultToken?: string }, token: CancellationToken) => {
      const { partialResultToken: part } = request;
      const told = (text: string): void => (part === undefined ? undefined : void started.client.sendProgress(pieceOfAnswer, part, { text }));
      // An error of another kind would come to the user with words of the protocol around its own.
      return askModel(vscode as unknown as ModelHost, request, told, token).catch((error: unknown) => new ResponseError(LSPErrorCodes.RequestFailed, messageOf(error)));
    });
    this.process = started;
    await started.start((how) => {
      this.log.error(`The language server ended by itself: ${how}`);
      ended(how);
    });
  }

  private async halt(): Promise<void> {
    await this.process?.halt();
    this.process = undefined;
  }

  private clientOptions(): LanguageClientOptions {
    const log = this.keys.hiddenFrom(this.log);
    return {
      documentSelector: [
        { language: 'oml', scheme: 'file' },
        { language: 'oml', scheme: 'untitled' },
        ...projectFiles.map((name) => ({ scheme: 'file', pattern: `**/${name}` })),
      ],
      outputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      traceOutputChannel: log,
      initializationOptions: { trusted: vscode.workspace.isTrusted },
      synchronize: { configurationSection: 'osiris' },
      middleware: {
        ...hideYamlDuplicates,
        workspace: {
          didChangeConfiguration: async (sections, next) => {
            await next(sections);
            this.settings.fire();
          },
        },
        executeCommand: (command, args: unknown[], next) => this.routes[command]?.(args[0]) ?? next(command, args),
      },
    };
  }

  private show(state: State<ServerCommand>): void {
    switch (state.name) {
      case 'preparing':
        return this.status.preparing();
      case 'starting':
        return this.status.starting();
      case 'running':
        this.status.running(this.serverVersion ?? '', state.server.origin);
        return this.starts.fire();
      case 'failed':
        this.stops.fire();
        this.status.failed(state.problem.message);
        this.log.error(state.problem.message);
        return state.problem instanceof Cancelled ? undefined : void this.offerHelp(state.problem);
      case 'waiting':
      case 'stopping':
        this.stops.fire();
        return this.status.stopped();
      case 'stopped':
        return this.status.stopped();
    }
  }

  private async offerHelp({ message, setting }: Problem): Promise<void> {
    const actions: Record<string, () => unknown> = {
      Restart: () => this.restart(),
      ...(setting === undefined ? {} : { 'Open Settings': () => openSettings(setting) }),
      Doctor: () => vscode.commands.executeCommand(commandIds.checkSetup),
      'Show Log': () => this.log.show(),
    };
    const choice = await vscode.window.showErrorMessage(message, ...Object.keys(actions));
    await actions[choice ?? '']?.();
  }
}

async function openSettings(setting: string): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openSettings', setting);
}
