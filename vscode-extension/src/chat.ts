/** Osiris: Chat. Holds the conversation that is shown; what is kept of it is the server's. */
import * as path from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from './answers';
import { logText, type SentRequest } from './chatLog';
import { ChatPanel, panelOptions, panelType } from './chatPanel';
import { type ChatStatus, type ChatView, emptyView, heard, type ListedConversation, noted, type Proposal, resumed, sent, type Wish } from './chatView';
import type { ChatEventParams, Client } from './client';
import { commandIds, serverCommands } from './commandIds';
import { Papers } from './papers';
import { outcomeOf, type Outcome } from './runLines';
import type { Runs } from './runs';

const forbiddenContext = 'osiris.aiForbidden';

/** Under this key the workspace keeps what the panel showed last. */
const shownKey = 'osiris.chat.shown';

interface Shown {
  conversation?: string;
  uri?: string;
}

/** What `osiris.chat.start` answers. */
interface Started {
  conversation: string;
  path: string | null;
  state: string;
  messages: { role: string; text: string }[];
  proposal: Proposal | null;
  message: string | null;
  answering: boolean;
}

export class Chat implements vscode.Disposable {
  private view = emptyView();
  private panel: ChatPanel | undefined;
  private proposals: Proposal[] = [];
  /** What happens in conversations while it is not clear yet which of them is shown. */
  private early: ChatEventParams[] | undefined;
  private run: { id: string | undefined; ends: Map<string, Outcome> } | undefined;
  private readonly papers = new Papers();
  private readonly subscriptions: vscode.Disposable;

  constructor(
    private readonly extension: vscode.Uri,
    private readonly kept: vscode.Memento,
    private readonly client: Client,
    private readonly runs: Runs,
  ) {
    client.routes = { ...client.routes, [serverCommands.chatStart]: (argument) => this.begin(argument) };
    this.subscriptions = vscode.Disposable.from(
      this.papers,
      vscode.commands.registerCommand(commandIds.openChat, () => this.open()),
      vscode.commands.registerCommand(commandIds.showChatLog, () => this.saying(() => this.showLog(undefined))),
      vscode.commands.registerCommand(commandIds.showChatPrompt, () => this.saying(() => this.showPrompt())),
      vscode.window.registerWebviewPanelSerializer(panelType, {
        deserializeWebviewPanel: (panel) => this.revive(panel),
      }),
      client.onChatEvent((params) => this.take(params)),
      client.onRunEvent(({ runId, event }) => this.runEnded(runId, outcomeOf(event))),
      client.onStarted(() => this.modelChanged()),
      client.onSettingsSent(() => this.modelChanged()),
      client.onStopped(() => this.loseServer()),
      vscode.workspace.onDidSaveTextDocument(({ uri }) => {
        if (path.posix.basename(uri.path) === 'osiris.yaml') {
          this.modelChanged();
        }
      }),
    );
  }

  /** Another model, or another key, may be chosen. */
  modelChanged(): void {
    void this.look();
  }

  dispose(): void {
    this.subscriptions.dispose();
    this.panel?.dispose();
  }

  /** Shows the panel; a conversation that begins there is about the pipeline in the editor. */
  async open(): Promise<void> {
    if (!vscode.workspace.isTrusted) {
      void vscode.window.showWarningMessage('Osiris talks to no AI model in Restricted Mode. Trust this workspace first.');
      return;
    }
    if (this.view.conversation === undefined && !this.view.busy) {
      this.set({ ...this.view, ...about() });
    }
    this.reveal();
    await this.look(true);
  }

  /** A code action of the server begins a conversation. */
  private async begin(argument: unknown): Promise<unknown> {
    this.reveal();
    await this.look(true);
    const uri = typeof argument === 'object' && argument !== null && 'uri' in argument ? String(argument.uri) : undefined;
    return this.start(argument, uri);
  }

  private reveal(): void {
    if (this.panel !== undefined) {
      return this.panel.reveal();
    }
    const beside = vscode.window.activeTextEditor === undefined ? vscode.ViewColumn.Active : vscode.ViewColumn.Beside;
    this.adopt(vscode.window.createWebviewPanel(panelType, 'Osiris Chat', beside, panelOptions));
  }

  private adopt(panel: vscode.WebviewPanel): void {
    this.panel = new ChatPanel(panel, this.extension, (wish) => void this.grant(wish), {
      shown: () => void this.look(),
      closed: () => (this.panel = undefined),
    });
    this.panel.show(this.view);
  }

  /** A panel of before the window was loaded anew. */
  private async revive(panel: vscode.WebviewPanel): Promise<void> {
    if (!vscode.workspace.isTrusted || this.panel !== undefined) {
      return panel.dispose();
    }
    this.adopt(panel);
    const { conversation, uri } = this.kept.get<Shown>(shownKey, {});
    this.set({ ...this.view, ...(uri === undefined ? about() : known(uri)) });
    await this.look(true);
    if (conversation !== undefined && this.view.status?.ready === true) {
      await this.start({ conversation }, uri);
    }
  }

  private async grant(wish: Wish): Promise<void> {
    try {
      await this.doAs(wish);
    } catch (error) {
      this.set(noted(this.view, 'error', messageOf(error)));
    }
  }

  private async doAs(wish: Wish): Promise<void> {
    const { conversation } = this.view;
    switch (wish.wish) {
      case 'send':
        return this.send(wish.text);
      case 'stop':
        return void (await this.ask(serverCommands.chatStop, { conversation }));
      case 'apply':
        return this.apply();
      case 'run':
        return this.runPipeline();
      case 'diff':
        return this.showChange(wish.number);
      case 'prompt':
        return this.showPrompt(wish.text);
      case 'history':
        return this.set({ ...this.view, history: (await this.ask<ListedConversation[]>(serverCommands.chatList, {})) ?? [] });
      case 'closeHistory':
        return this.set({ ...this.view, history: undefined });
      case 'resume':
        return void (await this.start({ conversation: wish.conversation }, this.view.uri));
      case 'new':
        return this.renew(about());
      case 'anyPipeline':
        return this.set({ ...this.view, uri: undefined, path: undefined });
      case 'log':
        return this.showLog(conversation);
      case 'chooseModel':
        return void (await vscode.commands.executeCommand(commandIds.chooseModel));
      case 'setKey':
        return void (await vscode.commands.executeCommand(commandIds.setAiKey));
      case 'settings':
        return void (await vscode.commands.executeCommand('workbench.action.openSettings', 'osiris.ai'));
      case 'retry':
        return void (await this.look(true));
      case 'ready':
        return undefined;
    }
  }

  private async send(text: string): Promise<void> {
    if (this.view.busy) {
      return;
    }
    const begun = this.view;
    this.set(sent(begun, text));
    try {
      const conversation = begun.conversation ?? (await this.ask<Started>(serverCommands.chatStart, {}))?.conversation;
      if (conversation === undefined) {
        throw new Error('The language server is not running. Osiris: Doctor says why.');
      }
      this.set({ ...this.view, conversation });
      await this.ask(serverCommands.chatSend, { conversation, message: text });
    } catch (error) {
      this.set(noted({ ...this.view, busy: false, doing: '' }, 'error', messageOf(error)));
    }
  }

  /** Shows a conversation that the server starts or goes on with. */
  private async start(argument: unknown, uri: string | undefined): Promise<unknown> {
    this.renew(uri === undefined ? { uri, path: undefined } : known(uri));
    this.early = [];
    try {
      const given = { ...(uri === undefined ? {} : { uri }), ...(argument as object) };
      const found = await this.client.executeWithPackages<Started>(serverCommands.chatStart, given);
      if (found !== undefined) {
        this.proposals = found.proposal === null ? [] : [found.proposal];
        this.set(resumed(this.view, found));
        if (found.message !== null) {
          this.set(sent(this.view, found.message));
        }
      }
      const missed = this.early;
      this.early = undefined;
      missed.forEach((params) => this.take(params));
      return found;
    } catch (error) {
      this.set(noted(this.view, 'error', messageOf(error)));
      return undefined;
    } finally {
      this.early = undefined;
    }
  }

  private take(params: ChatEventParams): void {
    if (this.early !== undefined) {
      this.early.push(params);
      return;
    }
    const { conversation, event } = params;
    if (conversation !== this.view.conversation) {
      return;
    }
    if (event.event === 'proposal') {
      this.proposals.push(event as unknown as Proposal);
    }
    this.set(heard(this.view, event));
  }

  private async apply(): Promise<void> {
    const { conversation, path: file } = this.view;
    this.set(noted(this.view, 'info', 'To confirm, tick the change in the Refactor Preview and choose Apply there.'));
    const answer = await this.ask<{ applied: boolean }>(serverCommands.chatApply, { conversation });
    const said = answer?.applied === true ? `Applied to ${file ?? 'the pipeline'}. It is not saved yet: Run saves it.` : 'Not applied.';
    this.set(noted(this.view, 'info', said));
  }

  private async runPipeline(): Promise<void> {
    const { conversation, path: file } = this.view;
    const open = vscode.workspace.textDocuments.filter(
      ({ isDirty, uri }) => isDirty && uri.scheme === 'file' && file !== undefined && uri.path.endsWith(`/${file}`),
    );
    await Promise.all(open.map((document) => document.save()));
    this.runs.announce(path.posix.basename(file ?? 'pipeline').replace(/(\.oml)?(\.ya?ml)?$/i, ''));
    const run = { id: undefined as string | undefined, ends: new Map<string, Outcome>() };
    this.run = run;
    run.id = (await this.client.executeWithPackages<{ runId: string }>(serverCommands.chatRun, this.argument({ conversation })))?.runId;
    this.set({ ...noted(this.view, 'info', 'The pipeline runs; the Osiris output shows its steps.'), state: 'run' });
    const ended = run.id === undefined ? undefined : run.ends.get(run.id);
    if (run.id !== undefined && ended !== undefined) {
      this.runEnded(run.id, ended);
    }
  }

  private runEnded(id: string, outcome: Outcome | undefined): void {
    if (outcome === undefined || this.run === undefined) {
      return;
    }
    if (this.run.id !== id) {
      this.run.ends.set(id, outcome); // it may be the one whose id is not known yet
      return;
    }
    this.run = undefined;
    this.set(noted(this.view, outcome === 'failed' ? 'error' : 'info', `The run ${outcome === 'cancelled' ? 'was cancelled' : outcome}.`));
  }

  private async showChange(number: number): Promise<void> {
    const proposal = this.proposals[number - 1];
    if (proposal === undefined) {
      return;
    }
    const side = (name: string, text: string): vscode.Uri => this.papers.put(proposal.path, text, `${this.view.conversation ?? ''}-${number}-${name}`);
    const title = `${path.posix.basename(proposal.path)} (proposed${proposal.ok ? '' : ', a draft with errors'})`;
    const options: vscode.TextDocumentShowOptions = { viewColumn: vscode.ViewColumn.One, preview: true };
    await vscode.commands.executeCommand('vscode.diff', side('before', proposal.before ?? ''), side('after', proposal.oml), title, options);
  }

  /** What would be sent for a message, which is asked for where none is given. */
  private async showPrompt(given?: string): Promise<void> {
    if (given === undefined && this.view.conversation === undefined && this.panel === undefined) {
      this.set({ ...this.view, ...about() });
    }
    const message = given ?? (await vscode.window.showInputBox({ title: 'What would be sent to the AI model for this message?', prompt: 'Nothing is sent.' }));
    if (message === undefined) {
      return;
    }
    const { conversation } = this.view;
    const found = await this.ask<{ text: string }>(serverCommands.chatPrompt, { message, ...(conversation === undefined ? {} : { conversation }) });
    if (found !== undefined) {
      await this.papers.show('What would be sent', found.text);
    }
  }

  /** What was sent in a conversation, or in all of the project. */
  private async showLog(conversation: string | undefined): Promise<void> {
    const sent = await this.ask<SentRequest[]>(serverCommands.chatLog, conversation === undefined ? {} : { conversation });
    if (sent !== undefined) {
      await this.papers.show('AI requests', logText(sent, conversation === undefined ? 'of this project' : 'of this conversation'));
    }
  }

  /** Does what a command of the palette wants, and says why it cannot be done. */
  private async saying(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      void vscode.window.showErrorMessage(messageOf(error));
    }
  }

  private renew(subject: { uri: string | undefined; path: string | undefined }): void {
    this.proposals = [];
    this.run = undefined;
    this.set({ ...emptyView(), status: this.view.status, ...subject });
  }

  /** Asks whether a model may and can be asked. `start`: also when there is no server yet. */
  async look(start = false): Promise<ChatStatus | undefined> {
    if (!start && this.client.state.name !== 'running') {
      return undefined;
    }
    const status = await this.ask<ChatStatus>(serverCommands.chatStatus, {}).catch((error: unknown) => unclear(messageOf(error)));
    const found = status ?? unclear('The language server is not running. Osiris: Doctor says why.');
    this.set({ ...this.view, status: found });
    void vscode.commands.executeCommand('setContext', forbiddenContext, !found.allowed);
    return found;
  }

  private loseServer(): void {
    if (this.view.busy) {
      this.set(noted({ ...this.view, busy: false, doing: '' }, 'warning', 'The language server stopped, and with it the answer.'));
    }
  }

  private ask<T>(command: string, argument: object): Promise<T | undefined> {
    return this.client.executeWithPackages<T>(command, this.argument(argument));
  }

  /** With the document that says which project is meant. */
  private argument(argument: object): object {
    return this.view.uri === undefined ? argument : { uri: this.view.uri, ...argument };
  }

  private set(view: ChatView): void {
    const { conversation, uri } = view;
    // The panel's own state is kept only now and then, and not always when a window is closed.
    if (conversation !== this.view.conversation && this.panel !== undefined) {
      void this.kept.update(shownKey, { conversation, uri });
    }
    this.view = view;
    this.panel?.show(view);
  }
}

/** The pipeline in the editor, if there is one in the workspace. */
function about(): { uri: string | undefined; path: string | undefined } {
  const document = vscode.window.activeTextEditor?.document;
  const ours = document?.languageId === 'oml' && document.uri.scheme === 'file' && vscode.workspace.getWorkspaceFolder(document.uri) !== undefined;
  return ours ? known(document.uri.toString()) : { uri: undefined, path: undefined };
}

function known(uri: string): { uri: string; path: string } {
  return { uri, path: vscode.workspace.asRelativePath(vscode.Uri.parse(uri), false) };
}

function unclear(problem: string): ChatStatus {
  return { allowed: true, ready: false, problem, hint: null, provider: null, model: null, host: null, keyFor: null };
}
