/** The commands about databases: read what they hold, write it down for others, begin a step from it. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from './answers';
import { byProject, type CatalogItem, readingsOf, wereRead } from './catalogItems';
import type { CatalogTree } from './catalogTree';
import type { Client } from './client';
import { commandIds, type DiscoveryCommandId, serverCommands } from './commandIds';
import { ownLanguages, projectFiles } from './detect';
import { lineOfStep } from './stepLine';

export interface DiscoveryParts {
  client: Client;
  tree: CatalogTree;
  output: vscode.LogOutputChannel;
}

type Work = (parts: DiscoveryParts, item: CatalogItem | undefined) => Promise<void>;

export function registerDiscovery(parts: DiscoveryParts): vscode.Disposable {
  // The editor that a new step goes into, also while the tree has the focus.
  let last = vscode.window.activeTextEditor?.document;
  const pipeline = (): vscode.TextDocument | undefined =>
    [vscode.window.activeTextEditor?.document, last].find((one) => one?.languageId === 'oml' && !one.isClosed);
  const handlers: Record<DiscoveryCommandId, Work> = {
    [commandIds.discover]: discover,
    [commandIds.refreshSchema]: refresh,
    [commandIds.lockSchema]: lock,
    [commandIds.newStep]: (given, item) => newStep(given, item, pipeline()),
  };
  return vscode.Disposable.from(
    vscode.window.onDidChangeActiveTextEditor((editor) => {
      last = editor?.document ?? last;
    }),
    ...Object.entries(handlers).map(([id, work]) =>
      vscode.commands.registerCommand(id, (item?: unknown) => attempt(parts, work, isItem(item) ? item : undefined)),
    ),
  );
}

/** Reads the connection of the tree, else those of the file in the editor, else some that the user chooses. */
async function discover(parts: DiscoveryParts, item: CatalogItem | undefined): Promise<void> {
  if (item !== undefined) {
    return void (await read(parts, [item]));
  }
  const uri = fileOfProject();
  if (uri !== undefined) {
    return parts.tree.reveal(tell(await parts.client.executeWithPackages(serverCommands.discover, { uri })));
  }
  const chosen = await pickConnections(parts, 'Discover which connections?');
  return chosen === undefined ? undefined : parts.tree.reveal(await read(parts, chosen));
}

/** Reads anew what was read before. */
async function refresh(parts: DiscoveryParts, item: CatalogItem | undefined): Promise<void> {
  const known = item === undefined ? wereRead(await parts.tree.connections()) : [item];
  return known.length > 0 ? void (await read(parts, known)) : discover(parts, undefined);
}

/** Reads these connections, and says and returns which of them could be read. */
async function read({ client }: DiscoveryParts, connections: CatalogItem[]): Promise<string[]> {
  const done: string[] = [];
  for (const argument of byProject(connections)) {
    done.push(...tell(await client.executeWithPackages(serverCommands.discover, argument)));
  }
  return done;
}

/** Writes `osiris.schema.json` of the project that the item or the file in the editor belongs to. */
async function lock({ client, tree, output }: DiscoveryParts, item: CatalogItem | undefined): Promise<void> {
  const uri = item?.uri ?? fileOfProject() ?? (await onlyProject(tree));
  if (uri === undefined) {
    void vscode.window.showWarningMessage('Open a pipeline of the project first: its schema is written beside it.');
    return;
  }
  const answer = await client.executeWithPackages<{ path?: string }>(serverCommands.lockSchema, { uri });
  if (answer?.path === undefined) {
    return;
  }
  const message = `The tables that the pipelines use are written to ${vscode.workspace.asRelativePath(answer.path)}.`;
  output.info(message);
  const open = 'Open';
  if ((await vscode.window.showInformationMessage(message, open)) === open) {
    await vscode.window.showTextDocument(vscode.Uri.file(answer.path));
  }
}

async function newStep(parts: DiscoveryParts, item: CatalogItem | undefined, document: vscode.TextDocument | undefined): Promise<void> {
  if (document === undefined) {
    void vscode.window.showWarningMessage('Open the pipeline first that the new step is for.');
    return;
  }
  const table = item ?? (await pickTable(parts));
  if (table === undefined) {
    return;
  }
  const editor = await vscode.window.showTextDocument(document);
  const { line, character } = editor.selection.active;
  const { connection, schema, table: name } = table;
  const argument = { uri: document.uri.toString(), connection, schema, table: name ?? table.label, position: { line, character } };
  const made = await parts.client.execute<{ applied: boolean; stepId?: string }>(serverCommands.newStep, argument);
  if (made?.applied === true && made.stepId !== undefined) {
    show(editor, made.stepId);
  }
}

/** Goes to a step. */
function show(editor: vscode.TextEditor, stepId: string): void {
  const line = lineOfStep(editor.document.getText(), stepId);
  if (line !== undefined) {
    const place = editor.document.lineAt(line).range.end;
    editor.selection = new vscode.Selection(place, place);
    editor.revealRange(new vscode.Range(place, place), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }
}

async function pickConnections({ tree }: DiscoveryParts, title: string): Promise<CatalogItem[] | undefined> {
  const items = await tree.connections();
  if (items.length < 2) {
    if (items.length === 0) {
      void vscode.window.showInformationMessage('There is no connection to discover: osiris_connections.yaml names none.');
    }
    return items.length === 0 ? undefined : items;
  }
  const rows = items.map((item) => ({ label: item.label, description: item.detail, item }));
  return (await vscode.window.showQuickPick(rows, { title, canPickMany: true }))?.map(({ item }) => item);
}

async function pickTable({ tree }: DiscoveryParts): Promise<CatalogItem | undefined> {
  const known = (await tree.connections()).filter(({ state }) => state !== 'unknown');
  const tables = (await Promise.all(known.map((item) => tree.tables(item)))).flat();
  if (tables.length === 0) {
    const run = 'Discover';
    if ((await vscode.window.showInformationMessage('No tables are known yet.', run)) === run) {
      await vscode.commands.executeCommand(commandIds.discover);
    }
    return undefined;
  }
  const rows = tables.map((item) => ({
    label: item.label,
    description: [item.connection, item.schema].filter(Boolean).join(' · '),
    detail: item.detail,
    item,
  }));
  const options = { title: 'New step from which table?', matchOnDescription: true };
  return (await vscode.window.showQuickPick(rows, options))?.item;
}

/** The file in the editor, if it is a pipeline or one of the files of a project. */
function fileOfProject(): string | undefined {
  const document = vscode.window.activeTextEditor?.document;
  if (document === undefined) {
    return undefined;
  }
  const own = ownLanguages.includes(document.languageId) || projectFiles.includes(path.posix.basename(document.uri.path));
  return own && !document.isUntitled ? document.uri.toString() : undefined;
}

async function onlyProject(tree: CatalogTree): Promise<string | undefined> {
  const projects = new Set((await tree.connections()).map(({ uri }) => uri));
  return projects.size === 1 ? [...projects][0] : undefined;
}

/** Says what was read, and returns which connections were. */
function tell(answer: unknown): string[] {
  const readings = readingsOf(answer);
  if (readings.length > 0) {
    vscode.window.setStatusBarMessage(readings.map(({ text }) => text).join('; '), 8000);
  }
  return readings.map(({ connection }) => connection);
}

async function attempt(parts: DiscoveryParts, work: Work, item: CatalogItem | undefined): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    const manage = 'Manage Trust';
    const message = 'Osiris connects to nothing and writes nothing in Restricted Mode. Trust this workspace first.';
    if ((await vscode.window.showWarningMessage(message, manage)) === manage) {
      await vscode.commands.executeCommand('workbench.trust.manage');
    }
    return;
  }
  try {
    await work(parts, item);
  } catch (error) {
    parts.output.error(messageOf(error));
    void vscode.window.showErrorMessage(messageOf(error));
  }
}

function isItem(value: unknown): value is CatalogItem {
  return typeof value === 'object' && value !== null && 'kind' in value && 'connection' in value;
}
