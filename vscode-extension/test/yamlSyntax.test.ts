/** What is left out where Red Hat's YAML extension reads a file, too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutDuplicates } from '../src/yamlSyntax';

const findings = [{ code: 'OML001' }, { code: { value: 'OML006' } }, { code: 'OML321' }, { code: { value: 'OML150' } }];

const cases: [what: string, language: string | undefined, checked: boolean, codes: unknown[]][] = [
  ['in YAML that Red Hat\'s extension checks, the syntax is its own', 'yaml', true, [findings[2], findings[3]]],
  ['in YAML that nobody else checks, all is told', 'yaml', false, findings],
  ['in OML, which nobody else checks, all is told', 'oml', true, findings],
  ['in a file that is not open, all is told', undefined, true, findings],
];

for (const [what, language, checked, codes] of cases) {
  test(what, () => assert.deepEqual(withoutDuplicates(findings, language, checked), codes));
}
