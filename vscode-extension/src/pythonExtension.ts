/** What Microsoft's Python extension knows, where it is installed and active. Osiris does not depend on it. */
import * as vscode from 'vscode';

const id = 'ms-python.python';

interface Environments {
  getActiveEnvironmentPath(resource?: vscode.Uri): { path: string } | undefined;
  resolveEnvironment(path: { path: string }): Promise<{ executable?: { uri?: vscode.Uri } } | undefined>;
  onDidChangeActiveEnvironmentPath?: vscode.Event<unknown>;
}

/** The chosen interpreter. Never one of a workspace that is not trusted. */
export async function chosenInterpreters(): Promise<string[]> {
  const environments = vscode.workspace.isTrusted ? api() : undefined;
  if (environments === undefined) {
    return [];
  }
  try {
    const chosen = environments.getActiveEnvironmentPath();
    const executable = chosen === undefined ? undefined : (await environments.resolveEnvironment(chosen))?.executable?.uri;
    return executable === undefined ? [] : [executable.fsPath];
  } catch {
    return []; // another version of that extension, with another interface
  }
}

/** Calls `changed` when another interpreter is chosen. */
export function watchInterpreter(changed: () => void): vscode.Disposable {
  return api()?.onDidChangeActiveEnvironmentPath?.(changed) ?? new vscode.Disposable(() => undefined);
}

function api(): Environments | undefined {
  const extension = vscode.extensions.getExtension<{ environments?: Environments }>(id);
  return extension?.isActive === true ? extension.exports?.environments : undefined;
}
