/** What must not be pasted is not there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { masked } from '../src/masking';

const cases: [what: string, text: string, expected: string][] = [
  ['name and password of a proxy', 'HTTPS_PROXY=http://anna:s3cret@proxy.example:3128', 'HTTPS_PROXY=http://***@proxy.example:3128'],
  ['a name alone', 'Looking in indexes: https://anna@packages.example/simple', 'Looking in indexes: https://***@packages.example/simple'],
  ['a password with an at sign', 'https://anna:p@ss@packages.example/simple', 'https://***@packages.example/simple'],
  ['a proxy without a scheme', 'http.proxy: anna:s3cret@proxy.example:3128', 'http.proxy: ***@proxy.example:3128'],
  ['a token in a query', 'https://packages.example/simple?token=abc123&x=1', 'https://packages.example/simple?token=***&x=1'],
  ['a bearer token', 'Authorization: Bearer abcdefghijkl', 'Authorization: ***'],
  ['a variable with a telling name', 'PIP_PASSWORD=hunter2', 'PIP_PASSWORD=***'],
  ['a key of JSON', '{"api_key": "abc def", "path": "x"}', '{"api_key": ***, "path": "x"}'],
  ['a well-known kind of token', `found ghp_${'a1'.repeat(18)} there`, 'found *** there'],
  ['a JSON web token', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def', '***'],
  ['an address without a name', 'https://packages.example/simple/click/', 'https://packages.example/simple/click/'],
  ['a place in a file', 'File "a.py", line 3: orders@2024', 'File "a.py", line 3: orders@2024'],
  ['a name of a package with a version', 'Collecting tokenizers>=1.0', 'Collecting tokenizers>=1.0'],
];

for (const [what, text, expected] of cases) {
  test(`${what}: ${text}`, () => assert.equal(masked(text), expected));
}

test('the home folder is ~, and a folder whose name begins like it is not', () => {
  assert.equal(masked('/home/anna/x and /home/annabel/y', '/home/anna'), '~/x and /home/annabel/y');
  assert.equal(masked('C:\\Users\\Anna\\x', 'C:\\Users\\Anna'), '~\\x');
});
