/**
 * Gets along with Red Hat's YAML extension. Pipelines and the files of a project have languages of their own, which it
 * leaves alone; where somebody gave them back to YAML, it reports their YAML syntax and ours is left out. All else is
 * told by us alone.
 */
import * as vscode from 'vscode';
import type { Middleware } from 'vscode-languageclient/node';
import { withoutDuplicates } from './yamlSyntax';

const yamlExtension = 'redhat.vscode-yaml';

export const hideYamlDuplicates: Middleware = {
  handleDiagnostics: (uri, diagnostics, next) => next(uri, toShow(uri, diagnostics)),
  provideDiagnostics: async (document, previous, token, next) => {
    const report = await next(document, previous, token);
    const uri = 'uri' in document ? document.uri : document;
    return report?.kind === 'full' ? { ...report, items: toShow(uri, report.items) } : report;
  },
};

function toShow(uri: vscode.Uri, diagnostics: vscode.Diagnostic[]): vscode.Diagnostic[] {
  const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
  return withoutDuplicates(diagnostics, document?.languageId, vscode.extensions.getExtension(yamlExtension)?.isActive === true);
}
