/** Keys of AI providers: kept in the secret storage alone, given only for their own place, in no log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AiKeys } from '../src/aiKeys';
import { logText } from '../src/chatLog';

function keysIn(kept: Map<string, string>, trusted = true): AiKeys {
  const storage = {
    get: async (name: string) => kept.get(name),
    store: async (name: string, value: string) => void kept.set(name, value),
    delete: async (name: string) => void kept.delete(name),
  };
  return new AiKeys(storage, () => trusted);
}

test('a key is given for what it is kept for, until it is removed', async () => {
  const kept = new Map<string, string>();
  const keys = keysIn(kept);
  assert.equal(await keys.set('openai', ' sk-1 \n'), true);
  assert.deepEqual(await keys.answer({ for: 'openai' }), { secret: 'sk-1' });
  assert.deepEqual(await keys.answer({ for: 'https://elsewhere' }), { secret: null });
  for (const request of [undefined, {}, { for: 3 }, { for: '' }]) {
    assert.deepEqual(await keys.answer(request), { secret: null });
  }
  assert.equal(await keys.set('openai', ''), false);
  assert.deepEqual(await keys.answer({ for: 'openai' }), { secret: null });
  assert.equal(kept.size, 0);
});

test('in a workspace that is not trusted no key is given', async () => {
  const kept = new Map<string, string>();
  await keysIn(kept).set('openai', 'sk-1');
  assert.deepEqual(await keysIn(kept, false).answer({ for: 'openai' }), { secret: null });
});

test('a log never shows a key that was given, as it is or in JSON', async () => {
  const lines: string[] = [];
  const log = { level: 1, trace: (...said: unknown[]) => lines.push(said.join(' ')) };
  const keys = keysIn(new Map([['osiris.ai.key:openai', 'a"b\\c']]));
  const hidden = keys.hiddenFrom(log);
  await keys.answer({ for: 'openai' });
  hidden.trace('Result:', JSON.stringify({ secret: 'a"b\\c' }), 'a"b\\c');
  assert.deepEqual(lines, ['Result: {"secret":"***"} ***']);
  assert.equal(hidden.level, 1);
});

test('the log of requests says when, to whom, how much and of which tables', () => {
  const one = { at: 0, conversation: 'chat_1', provider: 'openai', model: 'm', host: 'h', bytes: 10, tables: ['@a.b: c'], rows: false, outcome: 'answered', inputTokens: 5, outputTokens: 2 };
  const shown = logText([one, { ...one, tables: [], rows: true, inputTokens: null, outputTokens: null, outcome: 'Stopped.' }], 'of this project');
  assert.match(shown, /^Requests to AI models of this project/);
  assert.match(shown, /1970-01-01T00:00:00Z {2}m at h \(openai\): answered\n {2}10 bytes, 5 tokens in, 2 out\n {2}tables: @a\.b: c; rows of data: no\n {2}conversation chat_1/);
  assert.match(shown, /Stopped\.\n {2}10 bytes\n {2}tables: none; rows of data: yes/);
  assert.match(logText([], 'of this project'), /Nothing has been sent\./);
});
