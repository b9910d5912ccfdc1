/** The commands of the palette. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { messageOf, missingPackages, summary, type Compiled, type Findings } from './answers';
import type { Client } from './client';
import { type ChatCommandId, commandIds, type CommandId, type DiscoveryCommandId, serverCommands } from './commandIds';
import type { Runs } from './runs';
import { runTarget } from './settings';

/** What the extension's commands work with. */
export interface Parts {
  client: Client;
  runs: Runs;
  output: vscode.LogOutputChannel;
  /** The report of Osiris: Doctor, as Markdown. */
  report: () => Promise<string>;
}

/** The pipeline that a code lens, or another extension, means; further keys go to the server as they are. */
interface Target {
  uri: string;
}

export function registerCommands(parts: Parts): vscode.Disposable {
  const handlers: Record<Exclude<CommandId, DiscoveryCommandId | ChatCommandId>, (...args: unknown[]) => unknown> = {
    [commandIds.runPipeline]: (uri, to) => run(parts, uri, to),
    [commandIds.runOn]: (uri) => runOn(parts, uri),
    [commandIds.validate]: (uri) => validate(parts, uri),
    [commandIds.compile]: (uri) => compile(parts, uri),
    [commandIds.stopRun]: () => parts.runs.cancel(),
    [commandIds.showOutput]: () => parts.output.show(true),
    [commandIds.restartServer]: () => parts.client.restart(),
    [commandIds.checkSetup]: () => doctor(parts),
  };
  parts.client.routes = {
    ...parts.client.routes,
    [serverCommands.run]: (argument) => run(parts, argument),
    [serverCommands.compile]: (argument) => compile(parts, argument),
    [serverCommands.showRun]: (argument) => showRun(parts, argument),
  };
  return vscode.Disposable.from(
    ...Object.entries(handlers).map(([id, handler]) => vscode.commands.registerCommand(id, handler)),
  );
}

/** Runs a pipeline; with the id of a step only that and what it waits for. */
async function run({ client, runs }: Parts, target: unknown, to?: unknown): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage('Osiris runs and compiles nothing in Restricted Mode. Trust this workspace first.');
    return;
  }
  const document = await pipeline(target);
  if (document === undefined || !(await saved(document))) {
    return;
  }
  const name = nameOf(document);
  runs.announce(name);
  try {
    const argument = { ...argumentFor(document, target), ...(typeof to === 'string' ? { to } : {}) };
    await client.executeWithPackages(serverCommands.run, argument);
  } catch (error) {
    runs.refused(name, messageOf(error));
    await offerInstallCommand(client, error);
  }
}

/** Where pipelines can run, as `osiris.run` names it. */
const targets = [
  { label: 'This machine', target: 'local' },
  { label: 'E2B', target: 'e2b', description: 'a sandbox of your account there' },
];

/** Runs a pipeline where the user says. */
async function runOn(parts: Parts, target: unknown): Promise<void> {
  const document = await pipeline(target);
  const usual = runTarget();
  const items = targets.map((one) => ({ ...one, ...(one.target === usual ? { detail: 'where osiris.run.target says' } : {}) }));
  const chosen = document === undefined ? undefined : await vscode.window.showQuickPick(items, { title: `Run ${nameOf(document)} on...` });
  if (document !== undefined && chosen !== undefined) {
    await run(parts, { uri: document.uri.toString(), target: chosen.target });
  }
}

/** Into an environment of the user's own nothing is installed; what would do it can be copied. */
async function offerInstallCommand({ state }: Client, error: unknown): Promise<void> {
  const install = missingPackages(error)?.install;
  const python = state.name === 'running' && !state.server.managed ? state.server.python : undefined;
  if (install === undefined || python === undefined) {
    return;
  }
  const copy = 'Copy Command';
  const message = `Osiris installs nothing into ${python}, which is yours.`;
  if ((await vscode.window.showInformationMessage(message, copy)) === copy) {
    await vscode.env.clipboard.writeText(`"${python}" -m ${install}`);
  }
}

async function validate({ client, output }: Parts, target: unknown): Promise<void> {
  const document = await pipeline(target);
  if (document === undefined) {
    return;
  }
  const name = nameOf(document);
  try {
    const answer = await client.execute<Findings>(serverCommands.validate, { uri: document.uri.toString() });
    if (answer !== undefined) {
      output.info(`${name}: ${summary(answer)}`);
      await say(answer.errors === 0, `${name}: ${summary(answer)}`, 'Show Problems', 'workbench.actions.view.problems');
    }
  } catch (error) {
    await failed(output, name, error);
  }
}

async function compile({ client, output }: Parts, target: unknown): Promise<void> {
  const document = await pipeline(target);
  if (document === undefined || !(await saved(document))) {
    return;
  }
  const name = nameOf(document);
  try {
    const answer = await client.executeWithPackages<Compiled>(serverCommands.compile, argumentFor(document, target));
    if (answer !== undefined) {
      const where = answer.manifest === undefined ? '' : vscode.workspace.asRelativePath(answer.manifest);
      const message = `${name}: ${answer.cached === true ? 'unchanged, still compiled to' : 'compiled to'} ${where}`;
      output.info(message);
      vscode.window.setStatusBarMessage(message, 5000);
    }
  } catch (error) {
    await failed(output, name, error);
  }
}

/** Shows how an earlier run went; the server says its end in a message. */
async function showRun({ client, output }: Parts, argument: unknown): Promise<void> {
  try {
    const answer = await client.execute<{ lines?: string[] }>(serverCommands.showRun, argument);
    (answer?.lines ?? []).forEach((line) => output.info(line));
    output.show(true);
  } catch (error) {
    await failed(output, 'Last run', error);
  }
}

/** Opens the report as a document of its own, ready to be read and pasted. */
async function doctor({ report }: Parts): Promise<void> {
  const content = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: 'Osiris: looking around' },
    report,
  );
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ language: 'markdown', content }));
}

/** The pipeline a command is meant for: the resource it was called on, else the active editor's. */
async function pipeline(target: unknown): Promise<vscode.TextDocument | undefined> {
  const uri = target instanceof vscode.Uri ? target : isTarget(target) ? vscode.Uri.parse(target.uri) : undefined;
  const document =
    uri === undefined ? vscode.window.activeTextEditor?.document : await vscode.workspace.openTextDocument(uri);
  if (document?.languageId !== 'oml') {
    void vscode.window.showWarningMessage('Open an OML pipeline first: this command works on the active editor.');
    return undefined;
  }
  return document;
}

function isTarget(target: unknown): target is Target {
  return typeof target === 'object' && target !== null && 'uri' in target && typeof target.uri === 'string';
}

/** What the server is told: the pipeline, and what else the caller said, such as the step to run to. */
function argumentFor(document: vscode.TextDocument, target: unknown): object {
  const said = !(target instanceof vscode.Uri) && isTarget(target) ? target : {};
  return { ...said, uri: document.uri.toString() };
}

function nameOf(document: vscode.TextDocument): string {
  return path.posix.basename(document.uri.path).replace(/(\.oml)?(\.ya?ml)?$/i, '');
}

/** Saves what the command reads from disk. Says so when that is not possible. */
async function saved(document: vscode.TextDocument): Promise<boolean> {
  if (document.isUntitled || (document.isDirty && !(await document.save()))) {
    void vscode.window.showWarningMessage('Save the pipeline to a file first.');
    return false;
  }
  return true;
}

async function say(fine: boolean, message: string, action: string, command: string): Promise<void> {
  if (fine) {
    vscode.window.setStatusBarMessage(message, 5000);
  } else if ((await vscode.window.showWarningMessage(message, action)) === action) {
    await vscode.commands.executeCommand(command);
  }
}

async function failed(output: vscode.LogOutputChannel, name: string, error: unknown): Promise<void> {
  const message = `${name}: ${messageOf(error)}`;
  message.split('\n').forEach((line) => output.error(line));
  const show = 'Show Output';
  if ((await vscode.window.showErrorMessage(message, show)) === show) {
    output.show(true);
  }
}
