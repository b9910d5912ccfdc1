/** OML is coloured as YAML with SQL inside, whichever YAML grammar the editor has. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { omlGrammar, tokenise, type Token, type YamlGrammar } from './tokens';

const fixtures = path.resolve(__dirname, '../../test/grammar');
const grammars: YamlGrammar[] = ['current', 'legacy'];

function isSql(token: Token): boolean {
  return token.scopes.includes('meta.embedded.block.sql');
}

async function sqlIn(yaml: YamlGrammar, text: string): Promise<string[]> {
  const lines = tokenise(await omlGrammar(yaml), text);
  return lines
    .map((line) => line.filter(isSql).map((t) => t.text).join('').trim())
    .filter((line) => line !== '');
}

/** Each line of the file, and under it its tokens with their most specific scope; SQL is marked. */
function describeTokens(lines: Token[][]): string {
  const shown: string[] = [];
  for (const line of lines) {
    shown.push('> ' + line.map((t) => t.text).join(''));
    for (const token of line) {
      const scope = token.scopes.at(-1) ?? '';
      if (token.text.trim() !== '') {
        shown.push(`    ${isSql(token) ? 'sql ' : ''}${JSON.stringify(token.text)} ${scope}`);
      }
    }
  }
  return shown.join('\n') + '\n';
}

for (const yaml of grammars) {
  for (const fixture of ['pipeline', 'broken']) {
    test(`${fixture}.oml has the recorded tokens on the ${yaml} YAML grammar`, async () => {
      const text = readFileSync(path.join(fixtures, `${fixture}.oml`), 'utf8');
      const found = describeTokens(tokenise(await omlGrammar(yaml), text));
      const snapshot = path.join(fixtures, `${fixture}.${yaml}.snapshot`);
      if (process.env['UPDATE_SNAPSHOTS'] || !existsSync(snapshot)) {
        writeFileSync(snapshot, found);
      }
      assert.equal(found, readFileSync(snapshot, 'utf8'));
    });
  }

  test(`a block scalar under query is SQL until its indentation ends, on the ${yaml} YAML grammar`, async () => {
    const sql = await sqlIn(yaml, 'config:\n  query: |\n    SELECT 1\n\n    FROM t\n  table: t\n');
    assert.deepEqual(sql, ['SELECT 1', 'FROM t']);
  });

  test(`a query that opens a list item stays YAML, and so do its siblings, on the ${yaml} YAML grammar`, async () => {
    assert.deepEqual(await sqlIn(yaml, '- query: >-\n    SELECT 1\n  id: x\n-   query: |\n      SELECT 2\n    id: y\n'), []);
  });

  test(`text of other keys and commented queries are not SQL, on the ${yaml} YAML grammar`, async () => {
    assert.deepEqual(await sqlIn(yaml, 'description: |\n  select the best\n# query: |\n#   SELECT 1\nname: x\n'), []);
  });

  test(`SQL keywords inside the block have SQL scopes, on the ${yaml} YAML grammar`, async () => {
    const lines = tokenise(await omlGrammar(yaml), 'steps:\n  - id: a\n    config:\n      query: |\n        SELECT 1\n');
    const select = lines.flat().find((t) => t.text === 'SELECT');
    assert.equal(select?.scopes.at(-1), 'keyword.other.DML.sql');
  });

  test(`a parameter reference is marked inside SQL strings, on the ${yaml} YAML grammar`, async () => {
    const lines = tokenise(await omlGrammar(yaml), "query: |\n  SELECT '${params.day}'\n");
    const name = lines.flat().find((t) => t.text === 'params.day');
    assert.equal(name?.scopes.at(-1), 'variable.other.oml');
  });
}
