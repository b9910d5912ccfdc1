/** What the chat panel shows, as plain data, and how it changes with what the server tells. */

export interface Finding {
  line: number;
  severity: string;
  code: string;
  message: string;
}

/** What the model proposes for a file, as the server tells it. */
export interface Proposal {
  path: string;
  oml: string;
  before: string | null;
  ok: boolean;
  summary: string;
  findings: Finding[];
}

/** One thing in the conversation, top to bottom. */
export type Item =
  | { kind: 'user' | 'model'; text: string }
  | { kind: 'tool'; summary: string; ok: boolean }
  | { kind: 'note'; level: 'info' | 'warning' | 'error'; text: string }
  | { kind: 'question'; question: string; options: string[] }
  | { kind: 'proposal'; number: number; attempt: number; path: string; ok: boolean; summary: string; findings: Finding[]; made: boolean };

export interface ListedConversation {
  conversation: string;
  title: string;
  path: string | null;
  /** Seconds since 1970. */
  changedAt: number;
}

/** Whether a model can be asked, as the server says it. */
export interface ChatStatus {
  allowed: boolean;
  ready: boolean;
  problem: string | null;
  hint: string | null;
  provider: string | null;
  model: string | null;
  host: string | null;
  /** What a key would be kept for; null where none is needed. */
  keyFor: string | null;
}

/** The model that is asked, for people. */
export function modelTitle({ provider, model, host }: ChatStatus): string {
  return provider === 'editor' ? `${model || 'a model'} of VS Code` : `${model ?? ''} at ${host ?? ''}`;
}

export interface ChatView {
  status: ChatStatus | undefined;
  /** Undefined before the first message. */
  conversation: string | undefined;
  /** The pipeline that it is about, as a URI; undefined: a new one. */
  uri: string | undefined;
  /** The same as a path in the project, for people. */
  path: string | undefined;
  /** How far it is: a state of the server's. */
  state: string;
  items: Item[];
  busy: boolean;
  /** What is done at the moment, in a few words. */
  doing: string;
  /** The proposal that counts: its number, or 0. */
  current: number;
  tokens: number;
  history: ListedConversation[] | undefined;
}

/** What the panel asks for. */
export type Wish =
  | { wish: 'ready' | 'stop' | 'apply' | 'run' | 'new' | 'history' | 'closeHistory' | 'anyPipeline' | 'log' | 'chooseModel' | 'setKey' | 'settings' | 'retry' }
  | { wish: 'send' | 'prompt'; text: string }
  | { wish: 'resume'; conversation: string }
  | { wish: 'diff'; number: number };

export type ChatEvent = { event: string } & Record<string, unknown>;

export function emptyView(): ChatView {
  return {
    status: undefined,
    conversation: undefined,
    uri: undefined,
    path: undefined,
    state: 'init',
    items: [],
    busy: false,
    doing: '',
    current: 0,
    tokens: 0,
    history: undefined,
  };
}

/** The view after an event. The one that was given stays as it is. */
export function heard(view: ChatView, event: ChatEvent): ChatView {
  const text = (key: string): string => (typeof event[key] === 'string' ? event[key] : '');
  switch (event.event) {
    case 'state':
      return { ...view, state: text('state'), doing: doingIn[text('state')] ?? view.doing };
    case 'text':
      return { ...view, items: said(view.items, text('text')) };
    case 'tool':
      return added(view, { kind: 'tool', summary: text('summary'), ok: event['ok'] === true });
    case 'proposal':
      return proposed(view, event as unknown as Proposal & { attempt: number; final: boolean });
    case 'question':
      return added(view, { kind: 'question', question: text('question'), options: (event['options'] as string[] | undefined) ?? [] });
    case 'note':
      return added(view, { kind: 'note', level: 'warning', text: text('text') });
    case 'llm_request':
      return { ...view, doing: `Asking ${text('model') || text('host')}` };
    case 'llm_retry':
      return added(view, { kind: 'note', level: 'warning', text: `Asking again: ${text('reason')}` });
    case 'llm_fallback':
      return added(view, { kind: 'note', level: 'warning', text: `Asking another model: ${text('reason')}` });
    case 'stopped':
      return added({ ...view, busy: false, doing: '' }, { kind: 'note', level: 'info', text: 'Stopped.' });
    case 'error':
      return added({ ...view, busy: false, doing: '' }, { kind: 'note', level: 'error', text: `${text('message')} ${text('hint')}`.trim() });
    case 'response':
      return answered(view, event, text('problem'));
    default:
      return view;
  }
}

const doingIn: Record<string, string> = {
  intent_captured: 'Reading what you want',
  discovery: 'Looking at tables',
  oml_synthesis: 'Writing the pipeline',
  validate_oml: 'Checking it',
  compile: 'Compiled',
};

/** The stages of the plan, and how far it is. */
export function stages(state: string): { name: string; is: 'done' | 'now' | 'later' }[] {
  const states = ['intent_captured', 'discovery', 'oml_synthesis', 'validate_oml', 'compile', 'run'];
  const names = ['Wish', 'Tables', 'Pipeline', 'Checks', 'Compiled', 'Run'];
  const at = states.indexOf(state);
  return names.map((name, index) => ({ name, is: index < at ? 'done' : index === at ? 'now' : 'later' }));
}

/** Words of the user, and that they are being answered. */
export function sent(view: ChatView, message: string): ChatView {
  return added({ ...view, busy: true, doing: 'Asking' }, { kind: 'user', text: message });
}

export function noted(view: ChatView, level: 'info' | 'warning' | 'error', text: string): ChatView {
  return added(view, { kind: 'note', level, text });
}

/** A conversation as it is kept. */
export function resumed(
  view: ChatView,
  found: { conversation: string; path: string | null; state: string; messages: { role: string; text: string }[]; proposal: Proposal | null; answering: boolean },
): ChatView {
  const items = found.messages.map(({ role, text }): Item => ({ kind: role === 'user' ? 'user' : 'model', text }));
  const begun: ChatView = {
    ...emptyView(),
    status: view.status,
    uri: view.uri,
    conversation: found.conversation,
    path: found.path ?? undefined,
    state: found.state,
    items,
    busy: found.answering,
  };
  return found.proposal === null ? begun : proposed(begun, { ...found.proposal, attempt: 0, final: true });
}

function answered(view: ChatView, event: ChatEvent, problem: string): ChatView {
  const usage = event['usage'] as { inputTokens?: number; outputTokens?: number } | undefined;
  const tokens = view.tokens + (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);
  const ended = { ...view, busy: false, doing: '', tokens };
  const last = view.items.at(-1);
  const isSaid = last?.kind === 'note' && last.text === problem;
  return problem === '' || isSaid ? ended : noted(ended, 'warning', problem);
}

function proposed(view: ChatView, proposal: Proposal & { attempt: number; final: boolean }): ChatView {
  const { attempt, path, ok, summary, findings } = proposal;
  const number = view.items.filter(({ kind }) => kind === 'proposal').length + 1;
  const made = proposal.before === null;
  return added({ ...view, current: number, path }, { kind: 'proposal', number, attempt, path, ok, summary, findings, made });
}

function said(items: Item[], text: string): Item[] {
  const last = items.at(-1);
  return last?.kind === 'model' ? [...items.slice(0, -1), { ...last, text: last.text + text }] : [...items, { kind: 'model', text }];
}

function added(view: ChatView, item: Item): ChatView {
  return { ...view, items: [...view.items, item] };
}

export interface Part {
  code: boolean;
  text: string;
}

/** A text in pieces: what stands between fences is code. A fence that is still open, as while it streams, is one too. */
export function parts(text: string): Part[] {
  const found: Part[] = [];
  let lines: string[] = [];
  let fence = '';
  const close = (code: boolean): void => {
    const piece = lines.join('\n');
    if (code || piece.trim() !== '') {
      found.push({ code, text: code ? piece : piece.trim() });
    }
    lines = [];
  };
  for (const line of text.split(/\r?\n/)) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1] ?? '';
    if (fence === '' && mark !== '') {
      close(false);
      fence = mark;
    } else if (fence !== '' && mark.startsWith(fence) && line.trim() === mark) {
      close(true);
      fence = '';
    } else {
      lines.push(line);
    }
  }
  close(fence !== '');
  return found;
}
