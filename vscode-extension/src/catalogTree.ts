/** The view of connections: their schemas, tables and columns, as far as they are known. It never connects by itself. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from './answers';
import {
  ambiguous, argumentFor, type CatalogItem, iconOf, idOf, itemsOf, type Notice, noticeBelow,
} from './catalogItems';
import type { Client } from './client';
import { commandIds, serverCommands } from './commandIds';

type Line = CatalogItem | Notice;

export const catalogView = 'osiris.connections';
/** Whether the view shows: there is something of Osiris in this window. */
const shownContext = 'osiris.inUse';
const projectGlob = '**/{osiris_connections.yaml,osiris.yaml}';
const elsewhereGlob = '**/{node_modules,.venv,venv,.git,build,logs}/**';
const watchedGlob = '**/{osiris_connections.yaml,osiris.schema.json}';
/** Changes come in groups, and the server is to have seen them first. */
const settleMs = 200;
/** How long the view may take to show what is revealed, and how often it is tried. */
const revealMs = 800;
const mostReveals = 6;
/** How often ages are told anew. */
const ageMs = 60_000;

export class CatalogTree implements vscode.TreeDataProvider<Line>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  private readonly view: vscode.TreeView<Line>;
  private readonly subscriptions: vscode.Disposable;
  private twice = new Set<string>();
  /** Lines whose children were asked for since the view was drawn last: those that are open. */
  private readonly open = new Set<string>();
  private settling: NodeJS.Timeout | undefined;
  readonly onDidChangeTreeData = this.changes.event;

  constructor(private readonly client: Client) {
    this.view = vscode.window.createTreeView(catalogView, { treeDataProvider: this, showCollapseAll: true });
    const watcher = vscode.workspace.createFileSystemWatcher(watchedGlob);
    const soon = (): void => this.refreshSoon();
    const clock = setInterval(() => this.view.visible && soon(), ageMs);
    this.subscriptions = vscode.Disposable.from(
      this.view,
      this.changes,
      watcher,
      watcher.onDidChange(soon),
      watcher.onDidCreate(soon),
      watcher.onDidDelete(soon),
      client.onCatalogChanged(soon),
      client.onStarted(() => {
        this.appear();
        this.changes.fire();
      }),
      client.onStopped(soon),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.explainTrust()),
      vscode.workspace.onDidChangeWorkspaceFolders(soon),
      new vscode.Disposable(() => clearInterval(clock)),
      new vscode.Disposable(() => clearTimeout(this.settling)),
    );
    this.explainTrust();
    void this.appearInProjects();
  }

  getTreeItem(line: Line): vscode.TreeItem {
    return line.kind === 'notice' ? noticeItem(line) : this.item(line);
  }

  async getChildren(parent?: Line): Promise<Line[]> {
    if (parent?.kind === 'notice' || parent?.kind === 'column' || !(await this.isServed())) {
      return [];
    }
    try {
      if (parent === undefined) {
        this.open.clear();
      } else {
        this.open.add(idOf(parent));
      }
      const argument = parent === undefined ? {} : argumentFor(parent);
      const items = itemsOf(await this.client.execute(serverCommands.catalog, argument));
      if (parent === undefined) {
        this.twice = ambiguous(items);
        return items;
      }
      return items.length > 0 ? items : [noticeBelow(parent, vscode.workspace.isTrusted)];
    } catch (error) {
      return [{ kind: 'notice', label: 'cannot be shown', tooltip: messageOf(error) }];
    }
  }

  /** Only connections are ever revealed, and they stand at the top. */
  getParent(): undefined {
    return undefined;
  }

  /** Opens the view, and in it these connections. */
  async reveal(names: readonly string[]): Promise<void> {
    const found = (await this.connections()).filter(({ connection }) => names.includes(connection));
    // What is revealed while the view is drawn anew may stay shut or hidden.
    for (let tries = 0; tries < mostReveals; tries += 1) {
      await pause(tries === 0 ? settleMs : revealMs);
      if (this.view.visible && found.every((item) => this.open.has(idOf(item)))) {
        return;
      }
      for (const item of found) {
        await this.view.reveal(item, { select: false, focus: false, expand: true }).then(undefined, () => undefined);
      }
    }
  }

  /** All connections that the server knows. */
  async connections(): Promise<CatalogItem[]> {
    return itemsOf(await this.client.execute(serverCommands.catalog, {})).filter(({ kind }) => kind === 'connection');
  }

  /** The tables of a connection, of all its schemas. */
  async tables(connection: CatalogItem): Promise<CatalogItem[]> {
    const below = itemsOf(await this.client.execute(serverCommands.catalog, argumentFor(connection)));
    const deeper = await Promise.all(
      below.map(async (item) => (item.kind === 'schema' ? itemsOf(await this.client.execute(serverCommands.catalog, argumentFor(item))) : [item])),
    );
    return deeper.flat().filter(({ kind }) => kind === 'table');
  }

  dispose(): void {
    this.subscriptions.dispose();
  }

  /** Whether there is a server to ask. One that failed is not started by looking at a tree. */
  private async isServed(): Promise<boolean> {
    if (this.client.state.name === 'failed') {
      return false;
    }
    this.client.serve();
    return this.client.isServed();
  }

  private refreshSoon(): void {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.changes.fire(), settleMs);
  }

  private item(item: CatalogItem): vscode.TreeItem {
    const folds = item.kind === 'column' ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Collapsed;
    const found = new vscode.TreeItem(item.label, folds);
    const { icon, color } = iconOf(item);
    found.id = idOf(item);
    found.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
    found.description = [item.detail, this.projectOf(item)].filter((part) => part !== '').join(' · ');
    found.tooltip = new vscode.MarkdownString(item.tooltip);
    found.contextValue = item.kind === 'connection' ? `connection.${item.state}` : item.kind;
    found.accessibilityInformation = { label: `${item.kind} ${item.label} ${item.detail}` };
    return found;
  }

  /** The folder of the project, where two have a connection of this name. */
  private projectOf({ kind, label, uri }: CatalogItem): string {
    if (kind !== 'connection' || uri === undefined || !this.twice.has(label)) {
      return '';
    }
    return vscode.workspace.asRelativePath(path.posix.dirname(vscode.Uri.parse(uri).fsPath), true);
  }

  private explainTrust(): void {
    this.view.message = vscode.workspace.isTrusted
      ? ''
      : 'Discovery is off in Restricted Mode: nothing is connected to before you trust this workspace.';
  }

  private appear(): void {
    void vscode.commands.executeCommand('setContext', shownContext, true);
  }

  private async appearInProjects(): Promise<void> {
    if ((await vscode.workspace.findFiles(projectGlob, elsewhereGlob, 1)).length > 0) {
      this.appear();
    }
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function noticeItem({ label, tooltip, of }: Notice): vscode.TreeItem {
  const item = new vscode.TreeItem(label);
  item.tooltip = tooltip;
  item.iconPath = new vscode.ThemeIcon(of === undefined ? 'info' : 'plug');
  if (of !== undefined) {
    item.command = { command: commandIds.discover, title: 'Discover', arguments: [of] };
  }
  return item;
}
