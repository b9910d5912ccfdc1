/** Texts to read in an editor, which cannot be written to. */
import * as vscode from 'vscode';

const scheme = 'osiris-paper';

export class Papers implements vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable;

  constructor() {
    this.subscriptions = vscode.Disposable.from(
      this.changes,
      vscode.workspace.registerTextDocumentContentProvider(scheme, {
        onDidChange: this.changes.event,
        provideTextDocumentContent: (uri) => this.texts.get(uri.toString()) ?? '',
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.texts.delete(uri.toString())),
    );
  }

  /** A text under a path, whose last part is its title; `version` tells apart what has the same path. */
  put(path: string, text: string, version = ''): vscode.Uri {
    const uri = vscode.Uri.from({ scheme, path: `/${path}`, query: version });
    const before = this.texts.get(uri.toString());
    this.texts.set(uri.toString(), text);
    if (before !== undefined && before !== text) {
      this.changes.fire(uri);
    }
    return uri;
  }

  /** Opens a text to be read. */
  async show(title: string, text: string): Promise<void> {
    const document = await vscode.workspace.openTextDocument(this.put(title, text));
    await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
  }

  dispose(): void {
    this.subscriptions.dispose();
  }
}
