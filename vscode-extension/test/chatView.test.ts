/** What the chat panel shows of what the server tells. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chatPage } from '../src/chatPage';
import { type ChatEvent, type ChatView, emptyView, heard, type Item, parts, resumed, sent, stages } from '../src/chatView';

const finding = { line: 3, severity: 'error', code: 'OML411', message: 'no column' };
const proposal = { path: 'pipelines/a.oml', oml: 'name: a\n', before: null, ok: true, summary: 'A.', findings: [] };
const draft = { ...proposal, ok: false, findings: [finding] };

const after = (view: ChatView, ...events: ChatEvent[]): ChatView => events.reduce(heard, view);
const kinds = (items: Item[]): string[] => items.map(({ kind }) => kind);

test('an answer grows piece by piece, in the order in which things happen', () => {
  const asked = sent(emptyView(), 'Revenue');
  assert.equal(asked.busy, true);
  const view = after(
    asked,
    { event: 'state', state: 'discovery' },
    { event: 'text', text: 'Let me ' },
    { event: 'text', text: 'look.' },
    { event: 'tool', name: 'describe_table', summary: '3 columns', ok: true },
    { event: 'text', text: 'Here.' },
    { event: 'proposal', attempt: 1, final: false, ...draft },
    { event: 'proposal', attempt: 2, final: true, ...proposal },
  );
  assert.deepEqual(kinds(view.items), ['user', 'model', 'tool', 'model', 'proposal', 'proposal']);
  assert.deepEqual(view.items[1], { kind: 'model', text: 'Let me look.' });
  assert.deepEqual([view.busy, view.current, view.path], [true, 2, 'pipelines/a.oml']);
  assert.deepEqual(asked.items, [{ kind: 'user', text: 'Revenue' }], 'the view of before stays');

  const ended = heard(view, { event: 'response', problem: null, usage: { inputTokens: 100, outputTokens: 20 } });
  assert.deepEqual([ended.busy, ended.tokens, ended.items.length], [false, 120, view.items.length]);
});

test('every end of an answer frees the panel and says what happened', () => {
  const ends: [ChatEvent, string][] = [
    [{ event: 'stopped' }, 'Stopped.'],
    [{ event: 'error', message: 'No answer.', hint: 'Try again.' }, 'No answer. Try again.'],
    [{ event: 'response', problem: 'A draft with errors.' }, 'A draft with errors.'],
  ];
  for (const [event, text] of ends) {
    const view = heard(sent(emptyView(), 'Hello'), event);
    assert.equal(view.busy, false);
    const last = view.items.at(-1);
    assert.equal(last?.kind === 'note' ? last.text : undefined, text);
  }
});

test('a problem that was just noted is not said twice', () => {
  const view = after(sent(emptyView(), 'Hello'), { event: 'note', text: 'A draft.' }, { event: 'response', problem: 'A draft.' });
  assert.deepEqual(kinds(view.items), ['user', 'note']);
});

test('an event that nobody knows changes nothing', () => {
  const view = sent(emptyView(), 'Hello');
  assert.equal(heard(view, { event: 'llm_response' }), view);
});

test('a conversation that is resumed has its words and its proposal', () => {
  const found = { conversation: 'chat_1', path: null, state: 'compile', messages: [{ role: 'user', text: 'Hi' }, { role: 'assistant', text: 'Ho' }], proposal, answering: false };
  const view = resumed({ ...emptyView(), uri: 'file:///a' }, found);
  assert.deepEqual(kinds(view.items), ['user', 'model', 'proposal']);
  assert.deepEqual([view.conversation, view.uri, view.current], ['chat_1', 'file:///a', 1]);
});

test('stages', () => {
  assert.deepEqual(stages('oml_synthesis').map(({ is }) => is), ['done', 'done', 'now', 'later', 'later', 'later']);
  assert.deepEqual([...new Set(stages('init').map(({ is }) => is))], ['later']);
});

test('what stands between fences is code, also while the last one is still open', () => {
  assert.deepEqual(parts('One\n\n```yaml\na: 1\n```\nTwo\n~~~\nb\n```\n~~~\n```\nc'), [
    { code: false, text: 'One' },
    { code: true, text: 'a: 1' },
    { code: false, text: 'Two' },
    { code: true, text: 'b\n```' },
    { code: true, text: 'c' },
  ]);
});

test('the page runs our script and nothing else', () => {
  const page = chatPage('abc123', 'const a = "</script><!--";', 'p { color: red }');
  const policy = /content="([^"]*)"/.exec(page.slice(page.indexOf('Content-Security-Policy')))?.[1];
  assert.equal(policy, "default-src 'none'; script-src 'nonce-abc123'; style-src 'nonce-abc123'");
  assert.equal(page.match(/<\/script>/g)?.length, 1);
  assert.doesNotMatch(page, /\son\w+=|https?:|<!--/);
});
