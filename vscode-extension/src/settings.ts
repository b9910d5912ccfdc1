/** The settings of the section `osiris`, read when they are needed. */
import * as vscode from 'vscode';

export type RevealOutput = 'always' | 'onError' | 'never';

export interface ServerSettings {
  /** The `osiris` program, or empty. */
  path: string;
  /** A Python that has Osiris, or empty. */
  interpreter: string;
}

const section = 'osiris';

export function serverSettings(): ServerSettings {
  const settings = vscode.workspace.getConfiguration(section);
  return {
    path: settings.get<string>('server.path', '').trim(),
    interpreter: settings.get<string>('server.interpreter', '').trim(),
  };
}

export function detectInYaml(): boolean {
  return vscode.workspace.getConfiguration(section).get<boolean>('detectInYaml', true);
}

export function revealOutput(): RevealOutput {
  return vscode.workspace.getConfiguration(section).get<RevealOutput>('run.revealOutput', 'always');
}

/** Whether a change of settings asks for another server process. */
export function changesServer(event: vscode.ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(`${section}.server`);
}
