/** Shows runs: their lines in the output channel, their progress with a way to cancel them. */
import * as vscode from 'vscode';
import { messageOf } from './answers';
import type { Client, RunEventParams } from './client';
import { serverCommands } from './commandIds';
import { linesOf, outcomeOf, percentOf, type Line, type Outcome } from './runLines';
import { revealOutput } from './settings';

interface ActiveRun {
  name: string;
  /** How much of the bar one step is, in percent. */
  share: number;
  report: (message: string, increment?: number) => void;
  finish: () => void;
}

const runningContext = 'osiris.running';

export class Runs implements vscode.Disposable {
  private readonly active = new Map<string, ActiveRun>();
  private readonly subscription: vscode.Disposable;
  /** The pipeline that was started last, for events that do not name theirs. */
  private expected: string | undefined;

  constructor(
    private readonly client: Client,
    private readonly output: vscode.LogOutputChannel,
  ) {
    this.subscription = vscode.Disposable.from(
      client.onRunEvent((params) => this.take(params)),
      client.onStopped(() => this.loseSight()),
    );
  }

  /** Prepares the output for a run of the named pipeline. */
  announce(name: string): void {
    this.expected = name;
    this.output.info(`${name} | starting`);
    if (revealOutput() === 'always') {
      this.output.show(true);
    }
  }

  /** A run that could not be started, or not be cancelled. */
  refused(name: string, reason: string): void {
    reason.split('\n').forEach((line) => this.output.error(`${name} | ${line}`));
    this.complain(reason);
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
    [...this.active.values()].forEach((run) => run.finish());
  }

  private async stop(runId: string): Promise<void> {
    const name = this.active.get(runId)?.name ?? runId;
    this.output.info(`${name} | cancelling`);
    try {
      await this.client.execute(serverCommands.cancelRun, { runId });
    } catch (error) {
      this.refused(name, messageOf(error));
    }
  }

  private take({ runId, event }: RunEventParams): void {
    const outcome = outcomeOf(event);
    const run = this.active.get(runId) ?? (outcome === undefined ? this.begin(runId, event) : undefined);
    const name = run?.name ?? runId;
    linesOf(event).forEach((line) => this.write({ level: line.level, text: `${name} | ${line.text}` }));
    if (run !== undefined) {
      this.advance(run, event);
    }
    if (outcome !== undefined) {
      run?.finish();
      const message = event['message'] ?? event['error'];
      this.ended(name, outcome, typeof message === 'string' ? message : undefined);
    }
  }

  private advance(run: ActiveRun, event: Record<string, unknown>): void {
    const step = event['step_id'];
    if (typeof step !== 'string') {
      return;
    }
    switch (event['event']) {
      case 'step_start':
        return run.report(step);
      case 'step_progress':
        return run.report(`${step} ${percentOf(event) ?? ''}`.trimEnd());
      case 'step_complete':
      case 'step_error':
      case 'step_skipped':
        return run.report(step, run.share);
    }
  }

  private begin(runId: string, event: Record<string, unknown>): ActiveRun {
    const { pipeline, steps } = event;
    const run: ActiveRun = {
      name: typeof pipeline === 'string' ? pipeline : (this.expected ?? runId),
      share: typeof steps === 'number' && steps > 0 ? 100 / steps : 0,
      report: () => undefined,
      finish: () => undefined,
    };
    // A short run can be over before VS Code shows its progress, so its end must not depend on that.
    const over = new Promise<void>((resolve) => {
      run.finish = () => {
        this.active.delete(runId);
        this.tellWhetherRunning();
        resolve();
      };
    });
    this.active.set(runId, run);
    this.tellWhetherRunning();
    void vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: `Running ${run.name}`, cancellable: true },
      (progress, token) => {
        token.onCancellationRequested(() => void this.stop(runId));
        run.report = (message, increment = 0) => progress.report({ message, increment });
        return over;
      },
    );
    return run;
  }

  private tellWhetherRunning(): void {
    void vscode.commands.executeCommand('setContext', runningContext, this.active.size > 0);
  }

  /** The server is gone, and with it the news of the runs; the runs themselves go on. */
  private loseSight(): void {
    for (const [runId, run] of [...this.active]) {
      this.output.warn(`${run.name} | the language server stopped; the run goes on: osiris runs follow ${runId}`);
      run.finish();
    }
  }

  private write(line: Line): void {
    this.output[line.level](line.text);
  }

  private ended(name: string, outcome: Outcome, reason: string | undefined): void {
    if (outcome !== 'failed') {
      vscode.window.setStatusBarMessage(`Osiris: ${name} ${outcome}`, 5000);
      return;
    }
    this.complain(`${name} failed${reason === undefined ? '.' : `: ${reason}`}`);
  }

  private complain(message: string): void {
    if (revealOutput() !== 'never') {
      this.output.show(true);
    }
    void this.offerOutput(message);
  }

  private async offerOutput(message: string): Promise<void> {
    const show = 'Show Output';
    if ((await vscode.window.showErrorMessage(message, show)) === show) {
      this.output.show(true);
    }
  }
}
