/**
 * The AI models that VS Code itself has, such as those of Copilot, asked for the server. Nothing here imports `vscode`:
 * older versions know no such models, or none that can call tools.
 */
import { messageOf } from './answers';

/** What of `vscode` this is about, as versions from 1.95 on have it. */
export interface ModelHost {
  lm?: { selectChatModels?(selector: object): Thenable<EditorModel[]> };
  LanguageModelChatMessage?: { User(content: string | unknown[]): unknown; Assistant(content: string | unknown[]): unknown };
  LanguageModelTextPart?: new (value: string) => { value: string };
  LanguageModelToolCallPart?: new (callId: string, name: string, input: object) => { callId: string; name: string; input: object };
  LanguageModelToolResultPart?: new (callId: string, content: unknown[]) => unknown;
}

export interface EditorModel {
  id: string;
  vendor: string;
  family: string;
  name: string;
  sendRequest(messages: unknown[], options: object, token: unknown): Thenable<{ stream: AsyncIterable<unknown> }>;
}

interface ToolCall {
  id: string;
  name: string;
  /** JSON in a text. */
  arguments: string;
}

/** The parameters of `osiris/modelRequest`. */
export interface ModelRequest {
  /** Which of the models; null leaves it to us. */
  model: string | null;
  messages: { role: string; text: string; calls: ToolCall[]; answers: string | null }[];
  tools: { name: string; description: string; parameters: object }[];
}

export interface ModelAnswer {
  text: string;
  calls: ToolCall[];
}

type Parts = Required<Omit<ModelHost, 'lm'>>;

/** Whether this VS Code can be asked for models that call tools. */
export function offersModels(host: ModelHost): boolean {
  return host.lm?.selectChatModels !== undefined && partsOf(host) !== undefined;
}

/** The models that VS Code offers now; a provider of models may be started for it. */
export async function editorModels(host: ModelHost): Promise<EditorModel[]> {
  return offersModels(host) ? ((await host.lm?.selectChatModels?.({})) ?? []) : [];
}

/** How the setting `osiris.ai.model` names a model of VS Code. */
export function modelName({ vendor, id }: EditorModel): string {
  return `${vendor}/${id}`;
}

/**
 * Has a model answer, and passes each piece of its text on as it comes.
 *
 * @param told hears the pieces
 * @param token of VS Code; ends the answer when it is cancelled
 * @throws Error with a sentence for the user: no model, no consent, no quota, or what the model's own error says
 */
export async function askModel(host: ModelHost, request: ModelRequest, told: (text: string) => void, token: unknown): Promise<ModelAnswer> {
  const parts = partsOf(host);
  if (parts === undefined) {
    throw new Error('This version of VS Code has no AI models that can call tools. Update it, or choose another provider.');
  }
  const model = chosen(await editorModels(host), request.model);
  const options = {
    justification: 'Osiris writes and explains data pipelines with it.',
    tools: request.tools.map(({ name, description, parameters }) => ({ name, description, inputSchema: parameters })),
  };
  const answer: ModelAnswer = { text: '', calls: [] };
  try {
    const { stream } = await model.sendRequest(messagesOf(request, parts), options, token);
    for await (const part of stream) {
      if (part instanceof parts.LanguageModelTextPart) {
        answer.text += part.value;
        told(part.value);
      } else if (part instanceof parts.LanguageModelToolCallPart) {
        answer.calls.push({ id: part.callId, name: part.name, arguments: JSON.stringify(part.input) });
      }
    }
  } catch (error) {
    throw new Error(refusal(error, model.name));
  }
  return answer;
}

function partsOf(host: ModelHost): Parts | undefined {
  const { LanguageModelChatMessage, LanguageModelTextPart, LanguageModelToolCallPart, LanguageModelToolResultPart } = host;
  return LanguageModelChatMessage === undefined || LanguageModelTextPart === undefined || LanguageModelToolCallPart === undefined || LanguageModelToolResultPart === undefined
    ? undefined
    : { LanguageModelChatMessage, LanguageModelTextPart, LanguageModelToolCallPart, LanguageModelToolResultPart };
}

function chosen(models: EditorModel[], name: string | null): EditorModel {
  const fits = (model: EditorModel): boolean => [modelName(model), model.id, model.family, model.name, model.vendor].includes(name ?? '');
  const found = name === null ? (models.find(({ vendor }) => vendor === 'copilot') ?? models[0]) : models.find(fits);
  if (found !== undefined) {
    return found;
  }
  throw new Error(
    models.length === 0
      ? 'VS Code offers no AI model at present. Sign in to an extension that brings some, such as GitHub Copilot, or choose another by Osiris: Choose AI Model.'
      : `VS Code offers no AI model ${name}, but: ${models.map(modelName).join(', ')}. Osiris: Choose AI Model takes one of these.`,
  );
}

/** VS Code knows no role for instructions: they come first, as words of the user. Answers of tools that belong together are one message. */
function messagesOf({ messages }: ModelRequest, parts: Parts): unknown[] {
  const { LanguageModelChatMessage: message, LanguageModelTextPart: Text, LanguageModelToolCallPart: Call, LanguageModelToolResultPart: Result } = parts;
  const made: unknown[] = [];
  let results: unknown[] = [];
  const flush = (): void => {
    if (results.length > 0) {
      made.push(message.User(results));
      results = [];
    }
  };
  for (const { role, text, calls, answers } of messages) {
    if (role === 'tool') {
      results.push(new Result(answers ?? '', [new Text(text)]));
      continue;
    }
    flush();
    if (role === 'assistant') {
      made.push(message.Assistant([...(text === '' ? [] : [new Text(text)]), ...calls.map(({ id, name, arguments: given }) => new Call(id, name, inputOf(given)))]));
    } else {
      made.push(message.User(text));
    }
  }
  flush();
  return made;
}

/** What a model once called a tool with may be no JSON: then that is what it said. */
function inputOf(given: string): object {
  try {
    const input: unknown = JSON.parse(given);
    return typeof input === 'object' && input !== null ? input : { value: input };
  } catch {
    return { text: given };
  }
}

/** Why a model did not answer, for people. */
function refusal(error: unknown, name: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const said = `${messageOf(error)}${cause}`;
  if (code === 'NoPermissions') {
    return `VS Code was not allowed to give ${name} to Osiris. Send the message again to be asked, or allow it under Language Model Access`;
  }
  if (/quota|rate.?limit|exhausted/i.test(`${code} ${said}`)) {
    return `The quota of ${name} is used up: ${said}`;
  }
  if (code === 'Blocked') {
    return `${name} refused the request: ${said}`;
  }
  return code === 'NotFound' ? `${name} is not offered by VS Code any more` : `${name} failed: ${said}`;
}
