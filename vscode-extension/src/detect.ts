/** Which documents are ours; gives plain YAML files that hold a pipeline the language OML. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { headLength, looksLikeOml } from './omlHead';
import { detectInYaml } from './settings';

/** A file that comes back as YAML this soon after it was OML was switched by hand, and stays YAML. */
const switchedByHandMs = 500;

/** The languages of pipelines and of the files of a project. */
export const ownLanguages = ['oml', 'osiris-project'];

/** Files of a project, which the server checks as well, whatever language they are in. */
export const projectFiles = ['osiris_connections.yaml', 'osiris.yaml', '.env'];

/** Those that other tools do not have as well: to open one of them is reason enough to start the server. */
const ownFiles = projectFiles.filter((name) => name.startsWith('osiris'));

/** Whether a server is needed as soon as this document is open. */
export function needsServer(document: vscode.TextDocument): boolean {
  const own = document.uri.scheme === 'file' && ownFiles.includes(path.posix.basename(document.uri.path));
  return document.languageId === 'oml' || own;
}

export function watchYaml(): vscode.Disposable {
  const closedAsOml = new Map<string, number>();
  const keptAsYaml = new Set<string>();

  const consider = (document: vscode.TextDocument): void => {
    const key = document.uri.toString();
    if (document.languageId !== 'yaml' || keptAsYaml.has(key) || !detectInYaml() || !looksLikeOml(head(document))) {
      return;
    }
    if (Date.now() - (closedAsOml.get(key) ?? 0) < switchedByHandMs) {
      keptAsYaml.add(key);
      return;
    }
    void vscode.languages.setTextDocumentLanguage(document, 'oml');
  };

  vscode.workspace.textDocuments.forEach(consider);
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument(consider),
    vscode.workspace.onDidSaveTextDocument(consider),
    vscode.workspace.onDidCloseTextDocument((document) => {
      const key = document.uri.toString();
      if (document.languageId === 'oml') {
        closedAsOml.set(key, Date.now());
      } else {
        keptAsYaml.delete(key);
      }
    }),
  );
}

function head(document: vscode.TextDocument): string {
  return document.getText(new vscode.Range(document.positionAt(0), document.positionAt(headLength)));
}
