/** The line of a step is that of its id, and of no other step whose id starts so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineOfStep } from '../src/stepLine';

test('a step is found by its whole id', () => {
  const text = 'steps:\r\n  - id: extract-orders-2\r\n    needs: [extract-orders]\r\n  - id: extract-orders\r\n';
  assert.equal(lineOfStep(text, 'extract-orders'), 3);
});

test('however its id is written', () => {
  for (const line of ['- id: "a.b"', "  - id: 'a.b'  # first", '  - {id: a.b, mode: read}', '  [{id: x}, {id: a.b}]', '    id: a.b']) {
    assert.equal(lineOfStep(`steps:\n${line}\n`, 'a.b'), 1, line);
  }
});

test('a step that is not there has no line', () => {
  assert.equal(lineOfStep('steps:\n  - id: axb\n    description: a.b\n', 'a.b'), undefined);
});
