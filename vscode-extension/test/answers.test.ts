/** Counts of findings, in words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summary } from '../src/answers';

const cases: [errors: number, warnings: number, words: string][] = [
  [0, 0, 'no errors'],
  [1, 0, '1 error'],
  [2, 1, '2 errors and 1 warning'],
  [0, 3, 'no errors and 3 warnings'],
];

for (const [errors, warnings, words] of cases) {
  test(`${errors} errors, ${warnings} warnings: ${words}`, () => assert.equal(summary({ errors, warnings }), words));
}
