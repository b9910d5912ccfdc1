/** Gathers what Osiris: Doctor reports. Works also when no server can be started. */
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from './answers';
import { readBundle } from './bundle';
import type { Client } from './client';
import { serverCommands } from './commandIds';
import { doctorText, type Facts } from './doctorText';
import type { Managed } from './managed';
import { changedSettings, networkSettings } from './settings';

const answerMs = 30_000;
const networkVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'];

export async function doctorReport(context: vscode.ExtensionContext, client: Client, managed: Managed): Promise<string> {
  const { packageJSON } = context.extension;
  const doctor = await askServer(client);
  const { state } = client;
  const bundle = await readBundle(context.extensionPath);
  const { environments, used, lastOutput, problem } = await managed.describe();
  const facts: Facts = {
    extension: `${context.extension.id} ${packageJSON.version}`,
    editor: `${vscode.env.appName} ${vscode.version}${vscode.env.remoteName === undefined ? '' : ` (${vscode.env.remoteName})`}`,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    home: os.homedir(),
    trusted: vscode.workspace.isTrusted,
    folders: vscode.workspace.workspaceFolders?.length ?? 0,
    state: state.name === 'failed' ? `failed: ${state.problem.message}` : state.name,
    notes: problem === undefined ? client.notes : [...client.notes, problem],
    environments: environments.map(({ folder, stamp }) => ({ ...stamp, folder, used: folder === used })),
    bundle: bundle === undefined ? 'none in this build' : `${path.basename(bundle.wheel)} (sha256 ${bundle.sha256.slice(0, 12)})`,
    network: network(),
    settings: changedSettings(Object.keys(packageJSON.contributes.configuration.properties)),
    doctor,
    lastInstall: lastOutput,
  };
  if (state.name === 'running') {
    const { command, args, origin } = state.server;
    facts.server = { command: [command, ...args].join(' '), origin, version: client.serverVersion };
  }
  return doctorText(facts);
}

/** The server's own report. None is started for it: that there is none may be what the report is about. */
async function askServer(client: Client): Promise<string> {
  if (client.state.name === 'failed' || client.state.name === 'stopped') {
    return `It was not asked: it ${client.state.name === 'failed' ? 'is not running' : 'starts with the first pipeline you open'}.`;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`It did not answer within ${answerMs / 1000} s.`), answerMs);
  });
  try {
    const answer = client.execute<unknown>(serverCommands.doctor).then(asText);
    return await Promise.race([answer, late]);
  } catch (error) {
    return messageOf(error);
  } finally {
    clearTimeout(timer);
  }
}

function asText(answer: unknown): string {
  if (answer === undefined) {
    return 'It was not asked: it could not be started.';
  }
  return typeof answer === 'string' ? answer : JSON.stringify(answer, undefined, 2);
}

function network(): Facts['network'] {
  const { proxy } = networkSettings();
  const names = Object.keys(process.env).filter((name) => networkVariables.includes(name.toUpperCase()) || name.startsWith('PIP_'));
  const variables = names.sort().map((name) => ({ name, value: process.env[name] ?? '' }));
  return [...(proxy === '' ? [] : [{ name: 'http.proxy', value: proxy }]), ...variables];
}
