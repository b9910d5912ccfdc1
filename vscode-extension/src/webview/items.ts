/** One thing of the conversation as elements. */
import { parts, type ChatView, type Item, type Wish } from '../chatView';
import { button, element } from './elements';

type Ask = (wish: Wish) => void;

export function itemElement(item: Item, view: ChatView, isLast: boolean, ask: Ask): HTMLElement {
  switch (item.kind) {
    case 'user':
    case 'model':
      return spoken(item);
    case 'tool':
      return element('div', { className: `tool ${item.ok ? 'ok' : 'failed'}` }, mark(item.ok), element('span', { text: item.summary }));
    case 'note':
      return element('div', { className: `note ${item.level}`, text: item.text, role: item.level === 'error' ? 'alert' : 'note' });
    case 'question':
      return question(item, isLast && !view.busy, ask);
    case 'proposal':
      return proposal(item, view, ask);
  }
}

function mark(ok: boolean): HTMLElement {
  const shown = element('span', { className: 'mark', text: ok ? '✓' : '✗', role: 'img', label: ok ? 'done' : 'failed' });
  return shown;
}

function spoken(item: { kind: 'user' | 'model'; text: string }): HTMLElement {
  const mine = item.kind === 'user';
  const pieces = mine ? [{ code: false, text: item.text }] : parts(item.text);
  return element(
    'article',
    { className: `spoken ${item.kind}`, label: mine ? 'You' : 'Osiris' },
    ...pieces.map(({ code, text }) =>
      code ? element('pre', {}, element('code', { text })) : element('p', { text }),
    ),
  );
}

function question(item: { question: string; options: string[] }, open: boolean, ask: Ask): HTMLElement {
  return element(
    'div',
    { className: 'question', role: 'group', label: item.question },
    element('p', { text: item.question }),
    element(
      'div',
      { className: 'buttons' },
      ...item.options.map((text, index) =>
        button(text, () => ask({ wish: 'send', text }), { className: index === 0 ? '' : 'secondary', disabled: !open }),
      ),
    ),
  );
}

function proposal(item: Extract<Item, { kind: 'proposal' }>, view: ChatView, ask: Ask): HTMLElement {
  const current = view.current === item.number;
  const errors = item.findings.filter(({ severity }) => severity === 'error').length;
  const title = item.ok ? 'compiles' : current && !view.busy ? 'is a draft with errors' : `${item.attempt > 0 ? `try ${item.attempt} ` : ''}has errors`;
  const head = element(
    'div',
    { className: 'head' },
    mark(item.ok),
    element('strong', { text: item.path }),
    element('span', { text: title }),
  );
  const card = element('section', { className: `proposal ${item.ok ? 'ok' : 'failed'}`, label: `Proposal: ${item.path} ${title}` }, head);
  if (item.summary !== '') {
    card.append(element('p', { text: item.summary }));
  }
  if (item.findings.length > 0) {
    card.append(element('ul', { className: 'findings', label: `${errors} errors` }, ...item.findings.map(finding)));
  }
  const buttons = element('div', { className: 'buttons' });
  buttons.append(button('Show change', () => ask({ wish: 'diff', number: item.number }), { className: 'secondary' }));
  if (current) {
    const why = item.ok ? '' : 'A draft with errors is not applied to a pipeline.';
    const off = view.busy || !item.ok;
    buttons.prepend(button('Apply', () => ask({ wish: 'apply' }), { disabled: off, title: why }));
    buttons.append(button('Run', () => ask({ wish: 'run' }), { className: 'secondary', disabled: off, title: why || 'Saves the pipeline once it is applied, and runs it.' }));
    if (!item.ok && !view.busy) {
      buttons.append(element('span', { className: 'why', text: why }));
    }
  }
  card.append(buttons);
  return card;
}

function finding({ line, severity, code, message }: { line: number; severity: string; code: string; message: string }): HTMLElement {
  return element(
    'li',
    { className: severity },
    element('span', { className: 'place', text: `line ${line} ${code}` }),
    element('span', { text: ` ${message}` }),
  );
}
