/** Shows the chat: elements made of the view that the extension sends, wishes of the user sent back. */
import { type ChatView, type Item, modelTitle, stages, type Wish } from '../chatView';
import { button, element } from './elements';
import { itemElement } from './items';

/** What outlives the page, which is thrown away while the panel is hidden. */
interface Kept {
  input?: string;
}

declare function acquireVsCodeApi(): {
  postMessage(message: Wish): void;
  getState(): Kept | undefined;
  setState(state: Kept): void;
};

const api = acquireVsCodeApi();
const ask = (wish: Wish): void => api.postMessage(wish);
let view: ChatView | undefined;
let busyBefore = false;
/** Whether the end of the conversation is in view, and is to stay there. */
let following = true;

const about = element('span', { className: 'about' });
const anyPipeline = button('×', () => ask({ wish: 'anyPipeline' }), { className: 'icon', label: 'Talk about a new pipeline instead', title: 'Talk about a new pipeline instead' });
const model = element('span', { className: 'asked' });
const head = element(
  'header',
  {},
  about,
  anyPipeline,
  element('span', { className: 'gap' }),
  model,
  button('New', () => ask({ wish: 'new' }), { className: 'secondary', label: 'New conversation' }),
  button('History', () => ask({ wish: view?.history === undefined ? 'history' : 'closeHistory' }), { className: 'secondary', label: 'History of conversations' }),
);
const plan = element('ol', { className: 'plan', label: 'How far it is' });
const log = element('main', { label: 'Conversation' });
log.tabIndex = 0;
const past = element('nav', { className: 'past', label: 'Conversations' });
const news = element('div', { className: 'news', role: 'status' });
const input = element('textarea', { label: 'Message' });
input.rows = 3;
input.placeholder = 'What should the pipeline do?';
input.value = api.getState()?.input ?? '';
const send = button('Send', submit, { label: 'Send message' });
const stop = button('Stop', () => ask({ wish: 'stop' }), { label: 'Stop answering' });
const prompt = button('Show what would be sent', () => ask({ wish: 'prompt', text: input.value }), { className: 'link' });
const sent = button('Log', () => ask({ wish: 'log' }), { className: 'link', label: 'Log of what was sent', title: 'Log of what was sent' });
const foot = element('footer', {}, news, input, element('div', { className: 'buttons' }, send, stop, element('span', { className: 'gap' }), prompt, sent));
const first = element('section', { className: 'first', label: 'Set up a model' });
document.body.append(head, plan, past, first, log, foot);

/** The elements of the items, each with what it was made of. */
const shown: { made: string; element: HTMLElement }[] = [];

log.addEventListener('scroll', () => (following = log.scrollHeight - log.scrollTop - log.clientHeight < 60));
new ResizeObserver(follow).observe(log);
input.addEventListener('input', keep);
input.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    if (view?.history !== undefined) {
      ask({ wish: 'closeHistory' });
    } else if (view?.busy === true) {
      ask({ wish: 'stop' });
    }
  }
});
window.addEventListener('message', (event: MessageEvent<{ view?: ChatView }>) => {
  if (event.data.view !== undefined) {
    show(event.data.view);
  }
});
window.addEventListener('focus', () => input.focus());
ask({ wish: 'ready' });

function submit(): void {
  const text = input.value.trim();
  if (text === '' || view === undefined || view.busy || view.status?.ready !== true) {
    return;
  }
  input.value = '';
  ask({ wish: 'send', text });
  keep();
}

function keep(): void {
  api.setState({ input: input.value });
}

function show(next: ChatView): void {
  view = next;
  const { status } = next;
  const ready = status?.ready === true;
  about.textContent = next.path === undefined ? 'New pipeline' : next.path;
  anyPipeline.hidden = next.path === undefined || next.conversation !== undefined;
  model.textContent = ready ? modelTitle(status) : '';
  showFirst(next);
  showPast(next);
  showPlan(next);
  log.hidden = (!ready && next.items.length === 0) || next.history !== undefined;
  showItems(next);
  foot.hidden = !ready || next.history !== undefined;
  send.hidden = next.busy;
  stop.hidden = !next.busy;
  log.setAttribute('aria-busy', String(next.busy));
  news.textContent = next.busy ? `${next.doing || 'Answering'} …` : next.tokens > 0 ? `${next.tokens} tokens` : '';
  if (busyBefore && !next.busy && document.hasFocus()) {
    input.focus();
  }
  busyBefore = next.busy;
}

function showFirst({ status, items }: ChatView): void {
  first.hidden = status === undefined || status.ready || items.length > 0;
  if (first.hidden || status === undefined) {
    return;
  }
  const title = status.allowed ? 'No model can be asked yet' : 'AI is off here';
  const children: Node[] = [element('h2', { text: title }), element('p', { text: status.problem ?? '' })];
  if (status.allowed) {
    children.push(
      element('p', {
        text: 'Choose a model of VS Code, which needs no key, or one of a provider. Its key is kept in the secret storage of VS Code, or read from the environment that VS Code was started in. Nothing else of Osiris needs a model.',
      }),
      element(
        'div',
        { className: 'buttons' },
        button('Choose Model', () => ask({ wish: 'chooseModel' })),
        button('Set Key', () => ask({ wish: 'setKey' }), { className: 'secondary' }),
        button('Open Settings', () => ask({ wish: 'settings' }), { className: 'secondary' }),
        button('Try Again', () => ask({ wish: 'retry' }), { className: 'secondary' }),
      ),
    );
  }
  if (status.hint !== null) {
    children.push(element('p', { text: status.hint, className: 'why' }));
  }
  first.replaceChildren(...children);
}

function showPast({ history }: ChatView): void {
  const opened = past.hidden && history !== undefined;
  past.hidden = history === undefined;
  if (history === undefined) {
    past.replaceChildren();
    return;
  }
  const rows = history.map(({ conversation, title, path, changedAt }) => {
    const row = button('', () => ask({ wish: 'resume', conversation }), { className: 'row' });
    const day = new Date(changedAt * 1000).toLocaleString();
    row.append(element('span', { text: title || 'Without words' }), element('small', { text: [path, day].filter(Boolean).join(' · ') }));
    return element('li', {}, row);
  });
  past.replaceChildren(
    element('h2', { text: 'Conversations' }),
    rows.length === 0 ? element('p', { text: 'This project has none yet.' }) : element('ul', {}, ...rows),
    button('Back', () => ask({ wish: 'closeHistory' }), { className: 'secondary' }),
  );
  if (opened) {
    past.querySelector('button')?.focus();
  }
}

function showPlan({ state, history }: ChatView): void {
  plan.hidden = state === 'init' || history !== undefined;
  plan.replaceChildren(
    ...stages(state).map(({ name, is }) => {
      const stage = element('li', { className: is, text: name });
      if (is === 'now') {
        stage.setAttribute('aria-current', 'step');
      }
      return stage;
    }),
  );
}

function showItems(next: ChatView): void {
  next.items.forEach((item: Item, index) => {
    const last = index === next.items.length - 1;
    const whole = item.kind === 'proposal' || item.kind === 'question';
    const made = JSON.stringify(whole ? [item, last, next.current, next.busy] : item);
    const there = shown[index];
    if (there?.made === made) {
      return;
    }
    const fresh = itemElement(item, next, last, ask);
    if (there === undefined) {
      log.append(fresh);
    } else {
      there.element.replaceWith(fresh);
    }
    shown[index] = { made, element: fresh };
  });
  shown.splice(next.items.length).forEach(({ element }) => element.remove());
  follow();
}

function follow(): void {
  if (following) {
    log.scrollTop = log.scrollHeight;
  }
}
