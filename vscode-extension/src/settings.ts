/** The settings of the section `osiris`, read when they are needed. */
import * as vscode from 'vscode';
import type { Network } from './pip';

export type RevealOutput = 'always' | 'onError' | 'never';

export interface ServerSettings {
  /** The `osiris` program, or empty. */
  path: string;
  /** A Python that has Osiris, or empty. */
  interpreter: string;
}

export interface EnvironmentSettings {
  /** Whether a Python environment may be made. */
  create: boolean;
  /** The Python to make it with, or empty. */
  basePython: string;
}

const section = 'osiris';

export function serverSettings(): ServerSettings {
  return { path: text('server.path'), interpreter: text('server.interpreter') };
}

export function environmentSettings(): EnvironmentSettings {
  return { create: settings().get<boolean>('server.createEnvironment', true), basePython: text('server.basePython') };
}

export function detectInYaml(): boolean {
  return settings().get<boolean>('detectInYaml', true);
}

export function revealOutput(): RevealOutput {
  return settings().get<RevealOutput>('run.revealOutput', 'always');
}

/** Where runs run; empty: where osiris.yaml says. */
export function runTarget(): string {
  return text('run.target');
}

/** How the editor reaches the network. Without a proxy of its own, the variables of the environment count. */
export function networkSettings(): Network {
  const http = vscode.workspace.getConfiguration('http');
  const proxy = http.get<string>('proxySupport') === 'off' ? '' : (http.get<string>('proxy') ?? '').trim();
  return { proxy, noProxy: http.get<string[]>('noProxy') ?? [] };
}

/** Whether a change of settings may ask for another server process. */
export function changesServer(event: vscode.ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(`${section}.server`);
}

/** The settings of the section that somebody has changed, as `name: value`. */
export function changedSettings(names: string[]): [name: string, value: unknown][] {
  const changed: [string, unknown][] = [];
  for (const name of names) {
    const found = vscode.workspace.getConfiguration().inspect(name);
    const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(found?.defaultValue)) {
      changed.push([name, value]);
    }
  }
  return changed;
}

function settings(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(section);
}

function text(name: string): string {
  return settings().get<string>(name, '').trim();
}
