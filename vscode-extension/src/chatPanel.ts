/** The web view of the chat: it is shown a view, and passes on what the user wishes. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { chatPage } from './chatPage';
import type { ChatView, Wish } from './chatView';

export const panelType = 'osiris.chat';

/** Nothing is loaded from anywhere: script and style stand in the page itself. */
export const panelOptions: vscode.WebviewOptions = { enableScripts: true, enableForms: false, localResourceRoots: [] };

/** How often the page is given a new view at most, while an answer streams. */
const pauseMs = 50;

export class ChatPanel implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable;
  private timer: NodeJS.Timeout | undefined;
  private latest: ChatView | undefined;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly extension: vscode.Uri,
    wished: (wish: Wish) => void,
    events: { shown: () => void; closed: () => void },
  ) {
    panel.webview.options = panelOptions;
    panel.iconPath = vscode.Uri.joinPath(extension, 'images', 'icon.png');
    this.subscriptions = vscode.Disposable.from(
      panel.webview.onDidReceiveMessage((wish: Wish) => (wish.wish === 'ready' ? this.post() : wished(wish))),
      panel.onDidChangeViewState(() => (panel.active ? events.shown() : undefined)),
      panel.onDidDispose(() => {
        this.dispose();
        events.closed();
      }),
    );
    void this.load();
  }

  show(view: ChatView): void {
    this.latest = view;
    this.timer ??= setTimeout(() => this.post(), pauseMs);
  }

  reveal(): void {
    this.panel.reveal();
  }

  close(): void {
    this.panel.dispose();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.subscriptions.dispose();
  }

  private post(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.latest !== undefined) {
      void this.panel.webview.postMessage({ view: this.latest });
    }
  }

  private async load(): Promise<void> {
    const [script, style] = await Promise.all(['chat.js', 'chat.css'].map((name) => this.part(name)));
    this.panel.webview.html = chatPage(randomBytes(16).toString('hex'), script ?? '', style ?? '');
  }

  private part(name: string): Promise<string> {
    return readFile(vscode.Uri.joinPath(this.extension, 'dist', 'webview', name).fsPath, 'utf8');
  }
}
