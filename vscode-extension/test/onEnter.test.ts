/** How a new line is indented. VS Code takes the first rule that matches the text in front of the cursor. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';

interface Rule {
  beforeText: string;
  action: { indent: 'none' | 'indent'; appendText?: string };
}

const file = path.resolve(__dirname, '../../language-configuration.json');
const rules: Rule[] = JSON.parse(readFileSync(file, 'utf8')).onEnterRules;

/** The indentation of the line after `line`, with two blanks for a level. */
function columnAfter(line: string): number {
  const action = rules.find((rule) => new RegExp(rule.beforeText).test(line))?.action;
  const deeper = (action?.indent === 'indent' ? 2 : 0) + (action?.appendText ?? '').length;
  return line.length - line.trimStart().length + deeper;
}

const cases: [string, string, number][] = [
  ['a key without a value', '    config:', 6],
  ['such a key with a comment', 'steps:   # in order', 2],
  ['such a key in quotes', '  "order_id":', 4],
  ['the head of a block scalar', '      query: |', 8],
  ['the head of a block scalar with its ways', '      query: >-  # one line', 8],
  ['the first key of a list item', '  - id: extract', 4],
  ['the first key of a list item, without a value', '  - config:', 6],
  ['the first key of a list item, with a block scalar', '  - query: |', 6],
  ['a key with a value', '    mode: read', 4],
  ['a value that ends with a colon', '    description: as follows:', 4],
  ['a plain list item', '    - orders', 4],
  ['a comment', '    # config:', 4],
  ['a comment in SQL', '        -- total: all', 8],
  ['SQL', "        SELECT 'a:' AS b,", 8],
  ['nothing', '      ', 6],
];

for (const [what, line, column] of cases) {
  test(`the line after ${what} starts at column ${column}`, () => {
    assert.equal(columnAfter(line), column, line);
  });
}
