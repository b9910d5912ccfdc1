/** The managed environment as this window sees it: with its settings, its log, and progress that can be cancelled. */
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { readBundle } from './bundle';
import { type Environment, ManagedEnvironment, type Report } from './environment';
import { masked } from './masking';
import { Problem } from './problem';
import { run } from './processes';
import { chosenInterpreters } from './pythonExtension';
import { environmentSettings, networkSettings } from './settings';

export interface Description {
  environments: Environment[];
  /** The folder of the one in use. */
  used: string | undefined;
  lastOutput: string | undefined;
  problem?: string;
}

export class Managed {
  private inUse: { environment: Environment; release: () => Promise<void> } | undefined;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** The interpreter of the environment, which is made if need be. Throws a Problem. */
  async interpreter(signal: AbortSignal): Promise<string> {
    const managed = await this.open();
    const { create } = environmentSettings();
    const environment = create ? await managed.ensure(signal) : await managed.find();
    if (environment === undefined) {
      throw new Problem(
        'No Osiris language server was found, and osiris.server.createEnvironment is off. Turn it on, or name a Python ' +
          'that has osiris-oml in the setting osiris.server.interpreter.',
        'osiris.server.createEnvironment',
      );
    }
    if (this.inUse?.environment.folder !== environment.folder) {
      await this.inUse?.release();
      this.inUse = { environment, release: await managed.use(environment) };
    }
    void this.restore(managed, environment);
    void managed.cleanUp().catch((error) => this.log.debug(`Cleaning up: ${String(error)}`));
    return environment.python;
  }

  /** Adds an extra to the environment that is in use. Throws a Problem. */
  async install(extra: string): Promise<void> {
    if (this.inUse !== undefined) {
      await (await this.open()).install(this.inUse.environment, extra);
    }
  }

  /** Adds an extra unless the environment has the module that it is for. Throws a Problem. */
  async installFor(module: string, extra: string): Promise<void> {
    const python = this.inUse?.environment.python;
    const missing = `import importlib.util, sys; sys.exit(importlib.util.find_spec("${module}") is None)`;
    if (python !== undefined && (await run(python, ['-P', '-c', missing], { timeoutMs: 15_000 })).code !== 0) {
      await this.install(extra);
    }
  }

  /** What the version before had installed is there again in a while; the server starts without waiting for it. */
  private async restore(managed: ManagedEnvironment, environment: Environment): Promise<void> {
    try {
      await managed.restore(environment);
    } catch (error) {
      this.log.warn(`The packages of the version before were not installed again: ${(error as Error).message}`);
    }
  }

  /** What the report says of it. */
  async describe(): Promise<Description> {
    const used = this.inUse?.environment.folder;
    try {
      const managed = await this.open();
      return { environments: await managed.all(), used, lastOutput: await managed.lastOutput() };
    } catch (error) {
      return { environments: [], used, lastOutput: undefined, problem: (error as Error).message };
    }
  }

  async release(): Promise<void> {
    await this.inUse?.release();
    this.inUse = undefined;
  }

  private async open(): Promise<ManagedEnvironment> {
    const bundle = await readBundle(this.context.extensionPath);
    if (bundle === undefined) {
      throw new Problem(
        'This build of the extension comes without the Osiris wheel, so it cannot make a Python environment. Name a ' +
          'Python that has osiris-oml in the setting osiris.server.interpreter.',
        'osiris.server.interpreter',
      );
    }
    const storage = this.context.globalStorageUri;
    await vscode.workspace.fs.createDirectory(storage);
    return new ManagedEnvironment({
      root: path.join(storage.fsPath, 'environments'),
      bundle,
      network: networkSettings(),
      variables: process.env,
      search: {
        setting: environmentSettings().basePython,
        searchPath: process.env['PATH'] ?? '',
        home: os.homedir(),
        windows: process.platform === 'win32',
        folders: workspaceFolders(),
        others: await chosenInterpreters(),
        cwd: storage.fsPath,
      },
      log: (line) => this.log.info(masked(line)),
      working: showWork,
    });
  }
}

/** The folders of the workspace that are on this machine. */
export function workspaceFolders(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath);
}

/** A notification with progress and a way to cancel. */
async function showWork<T>(title: string, work: (report: Report, signal: AbortSignal) => Promise<T>): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  return vscode.window.withProgress(options, (progress, token) => {
    const cancelled = new AbortController();
    token.onCancellationRequested(() => cancelled.abort());
    return work((message) => progress.report({ message }), cancelled.signal);
  });
}
