/** The models of VS Code itself: what they are sent, what comes back, and what is said when they do not answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askModel, type EditorModel, editorModels, type ModelHost, type ModelRequest, offersModels } from '../src/editorModel';

class Text {
  constructor(public value: string) {}
}
class Call {
  constructor(public callId: string, public name: string, public input: object) {}
}
class Result {
  constructor(public callId: string, public content: unknown[]) {}
}
const message = {
  User: (content: unknown) => ({ role: 'user', content }),
  Assistant: (content: unknown) => ({ role: 'assistant', content }),
};
const parts = { LanguageModelChatMessage: message, LanguageModelTextPart: Text, LanguageModelToolCallPart: Call, LanguageModelToolResultPart: Result };

interface Sent {
  messages: unknown[];
  options: Record<string, unknown>;
}

/** A model that answers with these parts, and what it was sent. */
function model(id: string, stream: unknown[], sent: Sent[] = []): EditorModel {
  return {
    id, vendor: 'acme', family: 'fam', name: `The ${id}`,
    sendRequest: async (messages, options) => {
      sent.push({ messages, options: options as Record<string, unknown> });
      return { stream: (async function* () {
        for (const part of stream) {
          if (part instanceof Error) {
            throw part;
          }
          yield part;
        }
      })() };
    },
  };
}

const host = (...models: EditorModel[]): ModelHost => ({ ...parts, lm: { selectChatModels: async () => models } });
const request = (changes: Partial<ModelRequest> = {}): ModelRequest => ({ model: null, messages: [{ role: 'user', text: 'Hello', calls: [], answers: null }], tools: [], ...changes });
const said = (stream: unknown[], changes: Partial<ModelRequest> = {}): Promise<unknown> => askModel(host(model('one', stream)), request(changes), () => undefined, undefined);

test('a conversation with tools goes to the model as VS Code has it, and its answer comes piece by piece', async () => {
  const sent: Sent[] = [];
  const told: string[] = [];
  const messages = [
    { role: 'system', text: 'Write OML.', calls: [], answers: null },
    { role: 'user', text: 'Revenue', calls: [], answers: null },
    { role: 'assistant', text: '', calls: [{ id: '1', name: 'look', arguments: '{"table": "a"}' }, { id: '2', name: 'look', arguments: 'no JSON' }], answers: null },
    { role: 'tool', text: '3 columns', calls: [], answers: '1' },
    { role: 'tool', text: 'What?', calls: [], answers: '2' },
  ];
  const tools = [{ name: 'look', description: 'Looks.', parameters: { type: 'object' } }];
  const talks = model('one', [new Text('He'), { unknown: 'part' }, new Text('re.'), new Call('3', 'propose', { oml: 'name: a' })], sent);

  const answer = await askModel(host(talks), request({ messages, tools }), (text) => told.push(text), undefined);

  assert.deepEqual(answer, { text: 'Here.', calls: [{ id: '3', name: 'propose', arguments: '{"oml":"name: a"}' }] });
  assert.deepEqual(told, ['He', 're.']);
  assert.deepEqual(sent[0]?.messages, [
    { role: 'user', content: 'Write OML.' },
    { role: 'user', content: 'Revenue' },
    { role: 'assistant', content: [new Call('1', 'look', { table: 'a' }), new Call('2', 'look', { text: 'no JSON' })] },
    { role: 'user', content: [new Result('1', [new Text('3 columns')]), new Result('2', [new Text('What?')])] },
  ]);
  assert.deepEqual(sent[0]?.options['tools'], [{ name: 'look', description: 'Looks.', inputSchema: { type: 'object' } }]);
});

test('the model that is named answers, by any of its names', async () => {
  const both = host(model('one', [new Text('1')]), model('two', [new Text('2')]));
  for (const name of ['acme/two', 'two', 'The two']) {
    assert.equal((await askModel(both, request({ model: name }), () => undefined, undefined)).text, '2');
  }
  assert.equal((await askModel(both, request(), () => undefined, undefined)).text, '1');
  await assert.rejects(askModel(both, request({ model: 'three' }), () => undefined, undefined), /offers no AI model three, but: acme\/one, acme\/two\./);
  await assert.rejects(askModel(host(), request(), () => undefined, undefined), /offers no AI model at present\. Sign in/);
});

test('why a model does not answer is said plainly', async () => {
  const fails = (text: string, code = '', cause?: Error): Error => Object.assign(new Error(text, { cause }), { code });
  const reasons: [Error, RegExp][] = [
    [fails('no', 'NoPermissions'), /^Error: VS Code was not allowed to give The one to Osiris\./],
    [fails("You've exhausted your premium model quota."), /^Error: The quota of The one is used up: You've/],
    [fails('Request Failed', 'Blocked', new Error('429 rate limit')), /^Error: The quota of The one is used up: Request Failed \(429/],
    [fails('filtered', 'Blocked'), /^Error: The one refused the request: filtered/],
    [fails('gone', 'NotFound'), /^Error: The one is not offered by VS Code any more/],
    [fails('socket hang up'), /^Error: The one failed: socket hang up/],
  ];
  for (const [error, expected] of reasons) {
    await assert.rejects(said([new Text('Hal'), error]), expected);
  }
});

test('an editor without models that call tools offers none', async () => {
  assert.equal(offersModels(host()), true);
  for (const old of [{}, { lm: {} }, { lm: { selectChatModels: async () => [] } }] as ModelHost[]) {
    assert.equal(offersModels(old), false);
    assert.deepEqual(await editorModels(old), []);
    await assert.rejects(askModel(old, request(), () => undefined, undefined), /no AI models that can call tools/);
  }
});
