/** Which documents are ours; gives plain YAML files that hold a pipeline the language OML. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { headLength, looksLikeOml } from './omlHead';
import { detectInYaml } from './settings';

/** A file that comes back as YAML this soon after it was OML was switched by hand, and stays YAML. */
const switchedByHandMs = 500;

export const projectFiles = ['osiris_connections.yaml', 'osiris.yaml'];

/** Whether the document is one of the files of a project, which the server checks as well. */
export function isProjectFile(document: vscode.TextDocument): boolean {
  return document.uri.scheme === 'file' && projectFiles.includes(path.posix.basename(document.uri.path));
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
