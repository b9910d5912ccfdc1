/** Where VS Code enters and leaves. */
import * as vscode from 'vscode';
import { registerAiChoice } from './aiChoice';
import { AiKeys } from './aiKeys';
import { CatalogTree } from './catalogTree';
import { Chat } from './chat';
import { Client } from './client';
import { registerCommands } from './commands';
import { needsServer, watchYaml } from './detect';
import { registerDiscovery } from './discovery';
import { doctorReport } from './doctor';
import { keepIndentation } from './indentation';
import { Managed, workspaceFolders } from './managed';
import { type McpHost, offerMcpServers } from './mcp';
import { watchInterpreter } from './pythonExtension';
import { Runs } from './runs';
import { provideSchemaView } from './schemaView';
import { changesServer } from './settings';
import { Status } from './status';

let client: Client | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const output = vscode.window.createOutputChannel('Osiris', { log: true });
  const serverLog = vscode.window.createOutputChannel('Osiris Language Server', { log: true });
  const status = new Status();
  const managed = new Managed(context, serverLog);
  const { version } = context.extension.packageJSON as { version: string };
  const keys = new AiKeys(context.secrets, () => vscode.workspace.isTrusted);
  const active = new Client(status, serverLog, context.globalStorageUri, version, managed, keys);
  const runs = new Runs(active, output);
  const tree = new CatalogTree(active);
  const chat = new Chat(context.extensionUri, context.workspaceState, active, runs);
  client = active;

  const startFor = (document: vscode.TextDocument): void => {
    if (needsServer(document)) {
      active.serve();
    }
  };
  context.subscriptions.push(
    output,
    serverLog,
    status,
    active,
    runs,
    tree,
    provideSchemaView(active),
    registerDiscovery({ client: active, tree, output }),
    registerCommands({ client: active, runs, output, report: () => doctorReport(context, active, managed) }),
    chat,
    registerAiChoice(chat, keys),
    context.secrets.onDidChange(() => chat.modelChanged()),
    watchYaml(),
    keepIndentation(),
    vscode.workspace.onDidOpenTextDocument(startFor),
    vscode.workspace.onDidGrantWorkspaceTrust(() => active.changed()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => void active.foldersChanged()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (changesServer(event)) {
        active.changed();
      }
    }),
    watchInterpreter(() => {
      // It matters only for making an environment, so only where there is none.
      if (active.state.name === 'failed') {
        active.changed();
      }
    }),
  );
  vscode.workspace.textDocuments.forEach(startFor);
  offerToAgents(context, active, managed, version);
}

/** Gives the agents of VS Code servers of their own, where this version of it knows such. */
function offerToAgents(context: vscode.ExtensionContext, active: Client, managed: Managed, version: string): void {
  const changed = new vscode.EventEmitter<void>();
  const servers = offerMcpServers(vscode as unknown as McpHost, {
    trusted: () => vscode.workspace.isTrusted,
    folders: workspaceFolders,
    server: () => active.server(),
    prepare: async (server) => (server.managed ? managed.installFor('mcp', 'mcp') : undefined),
    onChanged: changed.event,
    version,
  });
  context.subscriptions.push(
    changed,
    vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => changed.fire()),
    ...(servers === undefined ? [] : [servers]),
  );
}

export function deactivate(): Promise<void> | undefined {
  return client?.stop();
}
