/** Where VS Code enters and leaves. */
import * as vscode from 'vscode';
import { Client } from './client';
import { registerCommands } from './commands';
import { isProjectFile, watchYaml } from './detect';
import { keepIndentation } from './indentation';
import { Runs } from './runs';
import { changesServer } from './settings';
import { Status } from './status';

let client: Client | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const output = vscode.window.createOutputChannel('Osiris', { log: true });
  const serverLog = vscode.window.createOutputChannel('Osiris Language Server', { log: true });
  const status = new Status();
  const active = new Client(status, serverLog, context.globalStorageUri);
  const runs = new Runs(active, output);
  client = active;

  const startFor = (document: vscode.TextDocument): void => {
    if (document.languageId === 'oml' || isProjectFile(document)) {
      active.serve();
    }
  };
  context.subscriptions.push(
    output,
    serverLog,
    status,
    active,
    runs,
    registerCommands({ client: active, runs, output }),
    watchYaml(),
    keepIndentation(),
    vscode.workspace.onDidOpenTextDocument(startFor),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void active.renew()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (changesServer(event)) {
        void active.renew();
      }
    }),
  );
  vscode.workspace.textDocuments.forEach(startFor);
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}
