/** Plain YAML is OML when it says so near its start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looksLikeOml } from '../src/omlHead';

const cases: [what: string, text: string, oml: boolean][] = [
  ['the version on the first line', 'oml_version: "0.1.0"\n', true],
  ['the version after a comment and another key', '# shop\nname: x\noml_version: 0.1.0\n', true],
  ['the key in quotes', '"oml_version": "0.1.0"\n', true],
  ['a byte order mark before the key', '\uFEFFoml_version: 0.1.0\n', true],
  ['Windows line ends', 'name: x\r\noml_version: 0.1.0\r\n', true],
  ['the key alone, still being typed', 'oml_version:', true],
  ['the key below another key', 'metadata:\n  oml_version: 0.1.0\n', false],
  ['the key in a comment', '# oml_version: 0.1.0\n', false],
  ['another key that starts alike', 'oml_version_note: 0.1.0\n', false],
  ['other YAML', 'services:\n  web: {}\n', false],
  ['the key beyond the first kilobyte', '#'.repeat(1100) + '\noml_version: 0.1.0\n', false],
];

for (const [what, text, oml] of cases) {
  test(`${what}: ${oml ? 'OML' : 'not OML'}`, () => assert.equal(looksLikeOml(text), oml));
}
