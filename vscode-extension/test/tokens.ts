/** Tokenises text the way VS Code does: the OML grammar and its injections over a given YAML grammar. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import * as oniguruma from 'vscode-oniguruma';
import { INITIAL, parseRawGrammar, Registry, type IGrammar } from 'vscode-textmate';

const root = path.resolve(__dirname, '../..');
const fromPackage = createRequire(path.join(root, 'package.json'));

/** The two YAML grammars in use: VS Code's own, and the older one that other YAML extensions put in its place. */
export type YamlGrammar = 'current' | 'legacy';

export interface Token {
  text: string;
  scopes: string[];
}

function folderOf(packageName: string): string {
  return path.join(root, 'node_modules', packageName);
}

function yamlFiles(grammar: YamlGrammar): Record<string, string> {
  if (grammar === 'legacy') {
    return { 'source.yaml': path.join(folderOf('tm-grammars'), 'grammars/yaml.json') };
  }
  const resources = path.join(folderOf('@codingame/monaco-vscode-yaml-default-extension'), 'resources');
  return {
    'source.yaml': path.join(resources, 'yaml.tmLanguage.json'),
    ...Object.fromEntries(
      ['1.0', '1.1', '1.2', '1.3'].map((v) => [`source.yaml.${v}`, path.join(resources, `yaml-${v}.tmLanguage.json`)]),
    ),
    'source.yaml.embedded': path.join(resources, 'yaml-embedded.tmLanguage.json'),
  };
}

interface GrammarContribution {
  scopeName: string;
  path: string;
  injectTo?: string[];
}

export async function omlGrammar(yaml: YamlGrammar): Promise<IGrammar> {
  const wasm = readFileSync(fromPackage.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const contributed: GrammarContribution[] = manifest.contributes.grammars;
  const sql = path.join(folderOf('@codingame/monaco-vscode-sql-default-extension'), 'resources/sql.tmLanguage.json');
  const files: Record<string, string> = {
    ...yamlFiles(yaml),
    'source.sql': sql,
    ...Object.fromEntries(contributed.map((g) => [g.scopeName, path.join(root, g.path)])),
  };
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => {
      const file = files[scope];
      return file ? parseRawGrammar(readFileSync(file, 'utf8'), file) : null;
    },
    getInjections: (scope) => contributed.filter((g) => g.injectTo?.includes(scope)).map((g) => g.scopeName),
  });
  const grammar = await registry.loadGrammar('source.oml');
  if (!grammar) {
    throw new Error('no grammar for source.oml');
  }
  return grammar;
}

/** One list of tokens for each line. */
export function tokenise(grammar: IGrammar, text: string): Token[][] {
  let state = INITIAL;
  return text.split('\n').map((line) => {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    return result.tokens.map((t) => ({ text: line.slice(t.startIndex, t.endIndex), scopes: t.scopes }));
  });
}
