/** Which AI model conversations use, and with which key: chosen in pick lists, kept in the user's own settings. */
import * as vscode from 'vscode';
import type { AiKeys } from './aiKeys';
import { messageOf } from './answers';
import type { Chat } from './chat';
import { commandIds } from './commandIds';
import { editorModels, type ModelHost, modelName } from './editorModel';

interface Choice {
  provider: string;
  model?: string;
  /** Whether it is a server of the user's own. */
  elsewhere?: boolean;
}

type Item = vscode.QuickPickItem & { choice?: Choice };

const providers: Item[] = [
  { label: 'OpenAI', choice: { provider: 'openai' } },
  { label: 'Anthropic', choice: { provider: 'anthropic' } },
  { label: 'Google', choice: { provider: 'google' } },
];
const elsewhere: Item = { label: 'Another server', description: 'Ollama and others that speak chat completions', choice: { provider: 'openai', elsewhere: true } };

export function registerAiChoice(chat: Chat, keys: AiKeys): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand(commandIds.chooseModel, () => chooseModel(chat, keys)),
    vscode.commands.registerCommand(commandIds.setAiKey, () => setKey(chat, keys)),
  );
}

async function chooseModel(chat: Chat, keys: AiKeys): Promise<void> {
  const picked = await vscode.window.showQuickPick(offered(), { title: 'Which AI model writes pipelines?', matchOnDescription: true });
  if (picked?.choice === undefined) {
    return;
  }
  const { provider, elsewhere: own } = picked.choice;
  const url = own === true ? await asked('The address of the server', 'http://localhost:11434/v1') : '';
  const model = picked.choice.model ?? (url === undefined ? undefined : await asked('The name of the model there', ''));
  if (url === undefined || model === undefined) {
    return;
  }
  const settings = vscode.workspace.getConfiguration('osiris.ai');
  const before = settings.get<string>('provider', '');
  // A model that was to step in was one of the provider of before, unless it names its own.
  const fallback = provider === before || settings.get<string>('fallback', '').includes('/') ? {} : { fallback: undefined };
  for (const [name, value] of Object.entries({ baseUrl: url || undefined, ...fallback, model, provider })) {
    await settings.update(name, value, vscode.ConfigurationTarget.Global);
  }
  const status = await chat.look(true);
  if (status?.ready !== true && typeof status?.keyFor === 'string') {
    await setKey(chat, keys);
  }
}

/** The models of VS Code itself first: they need no key. */
async function offered(): Promise<Item[]> {
  const models = await editorModels(vscode as unknown as ModelHost).catch(() => []);
  const own = models.map((model): Item => ({ label: model.name, description: `of VS Code (${model.vendor})`, choice: { provider: 'editor', model: modelName(model) } }));
  return [...own, ...providers, elsewhere];
}

/** Keeps the key of what is chosen; with an empty input forgets it. */
async function setKey(chat: Chat, keys: AiKeys): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage('Osiris talks to no AI model in Restricted Mode. Trust this workspace first.');
    return;
  }
  const status = await chat.look(true);
  if (status?.provider === 'editor') {
    void vscode.window.showInformationMessage('The models of VS Code need no key.');
    return;
  }
  const place = status?.keyFor ?? (await vscode.window.showQuickPick(providers, { title: 'Whose key?' }))?.choice?.provider;
  const key = place === undefined ? undefined : await vscode.window.showInputBox({
    title: `The AI key for ${place}`,
    prompt: 'VS Code keeps it in its secret storage. Leave it empty to remove the one that is kept.',
    password: true,
    ignoreFocusOut: true,
  });
  if (place === undefined || key === undefined) {
    return;
  }
  try {
    const kept = await keys.set(place, key);
    void vscode.window.showInformationMessage(kept ? `The AI key for ${place} is kept in the secret storage of VS Code.` : `VS Code keeps no AI key for ${place} any more.`);
  } catch (error) {
    void vscode.window.showErrorMessage(`The AI key could not be kept: ${keys.masked(messageOf(error))}`);
  }
}

async function asked(prompt: string, placeHolder: string): Promise<string | undefined> {
  const given = await vscode.window.showInputBox({ prompt, placeHolder, ignoreFocusOut: true });
  return given?.trim() || undefined;
}
