/** Shows what is known of a database as a text that nobody edits: where the definition of a table or column leads. */
import * as vscode from 'vscode';
import { messageOf } from './answers';
import type { Client } from './client';
import { serverCommands } from './commandIds';

export const schemaScheme = 'osiris-schema';

export function provideSchemaView(client: Client): vscode.Disposable {
  const changes = new vscode.EventEmitter<vscode.Uri>();
  const renew = (): void =>
    vscode.workspace.textDocuments.filter(({ uri }) => uri.scheme === schemaScheme).forEach(({ uri }) => changes.fire(uri));
  const provider: vscode.TextDocumentContentProvider = {
    onDidChange: changes.event,
    provideTextDocumentContent: async (uri) => {
      try {
        return (await client.execute<{ text: string }>(serverCommands.schemaText, { uri: uri.toString() }))?.text ?? '';
      } catch (error) {
        return `# ${messageOf(error).replaceAll('\n', '\n# ')}\n`;
      }
    },
  };
  return vscode.Disposable.from(
    changes,
    client.onCatalogChanged(renew),
    client.onStarted(renew),
    vscode.workspace.registerTextDocumentContentProvider(schemaScheme, provider),
  );
}
