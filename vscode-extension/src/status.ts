/** The entry behind the language name in the status bar: which server serves, or why none does. */
import * as vscode from 'vscode';
import { commandIds } from './commandIds';
import { ownLanguages } from './detect';

export class Status implements vscode.Disposable {
  private readonly item = vscode.languages.createLanguageStatusItem('osiris.server', ownLanguages);

  constructor() {
    this.item.name = 'Osiris';
    this.stopped();
  }

  preparing(): void {
    this.show('Osiris', 'looking for the language server', vscode.LanguageStatusSeverity.Information);
    this.item.busy = true;
    this.item.command = undefined;
  }

  starting(): void {
    this.show('Osiris', 'starting', vscode.LanguageStatusSeverity.Information);
    this.item.busy = true;
  }

  running(version: string, origin: string): void {
    this.show(`Osiris ${version}`, origin, vscode.LanguageStatusSeverity.Information);
    this.item.command = { command: commandIds.checkSetup, title: 'Doctor' };
  }

  stopped(): void {
    this.show('Osiris', 'stopped', vscode.LanguageStatusSeverity.Information);
    this.item.command = { command: commandIds.restartServer, title: 'Start' };
  }

  failed(reason: string): void {
    this.show('Osiris: no language server', reason, vscode.LanguageStatusSeverity.Error);
    this.item.command = { command: commandIds.restartServer, title: 'Try Again' };
  }

  dispose(): void {
    this.item.dispose();
  }

  private show(text: string, detail: string, severity: vscode.LanguageStatusSeverity): void {
    this.item.busy = false;
    this.item.text = text;
    this.item.detail = detail;
    this.item.severity = severity;
  }
}
