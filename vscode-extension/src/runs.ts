/** Shows runs: their lines in the output channel, their progress with a way to cancel them. */
import * as vscode from 'vscode';
import type { Client, RunEventParams } from './client';
import { serverCommands } from './commandIds';
import { linesOf, outcomeOf, type Line, type Outcome } from './runLines';
import { revealOutput } from './settings';

interface ActiveRun {
  name: string;
  report: (step: string) => void;
  finish: (outcome: Outcome) => void;
}

const runningContext = 'osiris.running';

export class Runs implements vscode.Disposable {
  private readonly active = new Map<string, ActiveRun>();
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly client: Client,
    private readonly output: vscode.LogOutputChannel,
  ) {
    this.subscription = client.onRunEvent((params) => this.take(params));
  }

  /** Prepares the output for a run of the named pipeline. */
  announce(name: string): void {
    this.output.info(`${name} | starting`);
    if (revealOutput() === 'always') {
      this.output.show(true);
    }
  }

  /** A run that did not even start. */
  refused(name: string, reason: string): void {
    reason.split('\n').forEach((line) => this.output.error(`${name} | ${line}`));
    this.ended(name, 'failed', reason);
  }

  /** Gives a run the name of its pipeline; its events may have come before. */
  name(runId: string, name: string): void {
    const run = this.active.get(runId);
    if (run !== undefined) {
      run.name = name;
    }
  }

  /** Asks which of the active runs to cancel when there is more than one, and cancels it. */
  async cancel(): Promise<void> {
    const items = [...this.active].map(([id, run]) => ({ label: run.name, description: id, id }));
    if (items.length === 0) {
      void vscode.window.showInformationMessage('No Osiris run is active.');
      return;
    }
    const chosen = items.length === 1 ? items[0] : await vscode.window.showQuickPick(items, { title: 'Cancel which run?' });
    if (chosen !== undefined) {
      await this.stop(chosen.id);
    }
  }

  dispose(): void {
    this.subscription.dispose();
    this.active.forEach((run) => run.finish('cancelled'));
  }

  private async stop(runId: string): Promise<void> {
    this.output.info(`${this.active.get(runId)?.name ?? runId} | cancelling`);
    await this.client.execute(serverCommands.cancelRun, { runId });
  }

  private take({ runId, event }: RunEventParams): void {
    const outcome = outcomeOf(event);
    const run = this.active.get(runId) ?? (outcome === undefined ? this.begin(runId, event) : undefined);
    const name = run?.name ?? runId;
    linesOf(event).forEach((line) => this.write({ level: line.level, text: `${name} | ${line.text}` }));
    const step = event['step_id'];
    if (event['event'] === 'step_start' && typeof step === 'string') {
      run?.report(step);
    }
    if (outcome !== undefined) {
      run?.finish(outcome);
      const message = event['message'] ?? event['error'];
      this.ended(name, outcome, typeof message === 'string' ? message : undefined);
    }
  }

  private begin(runId: string, event: Record<string, unknown>): ActiveRun {
    const pipeline = event['pipeline'];
    const run: ActiveRun = {
      name: typeof pipeline === 'string' ? pipeline : runId,
      report: () => undefined,
      finish: () => undefined,
    };
    this.active.set(runId, run);
    void vscode.commands.executeCommand('setContext', runningContext, true);
    void vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: `Running ${run.name}`, cancellable: true },
      (progress, token) => {
        token.onCancellationRequested(() => void this.stop(runId));
        return new Promise<void>((resolve) => {
          run.report = (step) => progress.report({ message: step });
          run.finish = () => {
            this.active.delete(runId);
            void vscode.commands.executeCommand('setContext', runningContext, this.active.size > 0);
            resolve();
          };
        });
      },
    );
    return run;
  }

  private write(line: Line): void {
    this.output[line.level](line.text);
  }

  private ended(name: string, outcome: Outcome, reason: string | undefined): void {
    if (outcome !== 'failed') {
      vscode.window.setStatusBarMessage(`Osiris: ${name} ${outcome}`, 5000);
      return;
    }
    if (revealOutput() !== 'never') {
      this.output.show(true);
    }
    void this.offerOutput(`${name} failed${reason === undefined ? '.' : `: ${reason}`}`);
  }

  private async offerOutput(message: string): Promise<void> {
    const show = 'Show Output';
    if ((await vscode.window.showErrorMessage(message, show)) === show) {
      this.output.show(true);
    }
  }
}
