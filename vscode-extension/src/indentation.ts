/** Keeps OML and the files of a project to their own indentation in files that VS Code opened before it knew the defaults of this extension. */
import * as vscode from 'vscode';
import { ownLanguages } from './detect';

/**
 * A file that comes with the window, as after a restart, is opened before the extensions are read: its indentation was
 * guessed, and stays so. Each document is set right once, so that what the user chooses for it afterwards stays.
 */
export function keepIndentation(): vscode.Disposable {
  const seen = new WeakSet<vscode.TextDocument>();

  const settle = (): void => {
    for (const editor of vscode.window.visibleTextEditors) {
      const { document } = editor;
      if (!ownLanguages.includes(document.languageId) || seen.has(document)) {
        continue;
      }
      seen.add(document);
      const wanted = vscode.workspace.getConfiguration('editor', document);
      if (wanted.get('detectIndentation') === false) {
        editor.options = { tabSize: wanted.get('tabSize', 2), insertSpaces: wanted.get('insertSpaces', true) };
      }
    }
  };

  settle();
  return vscode.Disposable.from(
    vscode.window.onDidChangeVisibleTextEditors(settle),
    vscode.workspace.onDidOpenTextDocument(settle),
  );
}
