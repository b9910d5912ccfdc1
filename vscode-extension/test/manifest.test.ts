/** package.json says what the code does, and ships what it names. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { commandIds, serverCommands } from '../src/commandIds';

const root = path.resolve(__dirname, '../..');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const contributes = manifest.contributes;
const commands: string[] = contributes.commands.map((c: { command: string }) => c.command);
const settings: Record<string, Record<string, unknown>> = contributes.configuration.properties;

test('every command in the manifest is one the extension registers, and the other way round', () => {
  assert.deepEqual([...commands].sort(), Object.values<string>(commandIds).sort());
});

test('no command has the name of a server command, which the language client registers', () => {
  const taken = new Set<string>(Object.values(serverCommands));
  assert.deepEqual(commands.filter((id) => taken.has(id)), []);
});

test('menus and keys name commands that exist', () => {
  const menus = Object.values<{ command: string }[]>(contributes.menus).flat();
  const keys: { command: string }[] = contributes.keybindings.filter((key: { args?: object }) => key.args === undefined);
  const used = [...menus, ...keys].map((entry) => entry.command);
  assert.deepEqual(used.filter((id) => !commands.includes(id)), []);
});

test('commands that write or run are offered in trusted workspaces only', () => {
  const rules: { command: string; when: string }[] = contributes.menus.commandPalette;
  const { runPipeline, compile, discover, refreshSchema, lockSchema, newStep } = commandIds;
  const { runOn, openChat, chooseModel, setAiKey, showChatPrompt, showChatLog } = commandIds;
  for (const id of [runPipeline, compile, discover, refreshSchema, lockSchema, newStep, runOn, openChat, chooseModel, setAiKey, showChatPrompt, showChatLog]) {
    assert.match(rules.find((rule) => rule.command === id)?.when ?? '', /isWorkspaceTrusted/);
  }
});

test('commands that lead to an AI model are not offered where the project forbids AI', () => {
  const rules: { command: string; when: string }[] = contributes.menus.commandPalette;
  const { openChat, chooseModel, setAiKey, showChatPrompt } = commandIds;
  for (const id of [openChat, chooseModel, setAiKey, showChatPrompt]) {
    assert.match(rules.find((rule) => rule.command === id)?.when ?? '', /!osiris\.aiForbidden/);
  }
});

test('what a view offers to do is offered in trusted workspaces only', () => {
  const { 'view/title': title, 'view/item/context': context } = contributes.menus as Record<string, { when: string }[]>;
  for (const { when } of [...(title ?? []), ...(context ?? [])]) {
    assert.match(when, /^view == osiris\.connections && .*isWorkspaceTrusted$/);
  }
});

test('every setting has a type, a default and a description', () => {
  for (const [name, setting] of Object.entries(settings)) {
    assert.ok('type' in setting && 'default' in setting, name);
    assert.ok('description' in setting || 'markdownDescription' in setting, name);
  }
});

test('every setting and every command stands in the README', () => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  const titles = contributes.commands.map((c: { category: string; title: string }) => `\`${c.category}: ${c.title}\``);
  const rows = [...Object.keys(settings).map((name) => `| \`${name}\` |`), ...titles];
  assert.deepEqual(rows.filter((row) => !readme.includes(row)), []);
});

test('a setting that names a program is not taken from an untrusted workspace', () => {
  const programs = Object.keys(settings).filter((name) => name.startsWith('osiris.server.'));
  const restricted: string[] = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  assert.deepEqual([...programs, 'osiris.compileOnSave'].sort(), [...restricted].sort());
  for (const name of programs) {
    assert.match(String(settings[name]?.['scope']), /^machine/, name);
  }
});

test('what the environment is made with, and where prompts go, is never a workspace\'s to say', () => {
  const ai = Object.keys(settings).filter((name) => name.startsWith('osiris.ai.')); // where prompts and a key go
  for (const name of [...ai, 'osiris.server.basePython', 'osiris.server.createEnvironment']) {
    assert.equal(settings[name]?.['scope'], 'machine');
  }
});

test('this extension formats OML', () => {
  assert.equal(contributes.configurationDefaults['[oml]']['editor.defaultFormatter'], `${manifest.publisher}.${manifest.name}`);
});

test('every kind of semantic token that the server knows has a scope for themes without semantic colours', () => {
  const kinds = readFileSync(path.join(root, '../server/osiris/ide/semantic_tokens/kinds.py'), 'utf8').matchAll(/^ {4}[A-Z_]+ = "(\w+)"$/gm);
  const scopes = Object.keys(contributes.semanticTokenScopes[0].scopes);
  assert.deepEqual([...kinds].map(([, kind]) => kind).filter((kind) => !scopes.includes(String(kind))), []);
});

test('the server of this version is the one in the package', () => {
  const server = readFileSync(path.join(root, '../server/osiris/__init__.py'), 'utf8');
  assert.equal(/__version__ = "([^"]+)"/.exec(server)?.[1], manifest.version);
});

test('OML files are told by their names', () => {
  assert.deepEqual(contributes.languages[0].extensions, ['.oml', '.oml.yaml', '.oml.yml']);
});

test('files that the manifest names are there', () => {
  const named: string[] = [
    manifest.icon,
    ...contributes.languages.map((l: { configuration: string }) => l.configuration),
    ...contributes.languages.flatMap((l: { icon: object }) => Object.values(l.icon)),
    ...contributes.viewsContainers.activitybar.map((c: { icon: string }) => c.icon),
    ...contributes.grammars.map((g: { path: string }) => g.path),
  ];
  assert.deepEqual(named.filter((file) => !existsSync(path.join(root, file))), []);
  const kept = readFileSync(path.join(root, '.vscodeignore'), 'utf8').split('\n').filter((line) => line.startsWith('!'));
  const packed = kept.map((line) => new RegExp(`^${line.slice(1).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`));
  const left = named.map((file) => path.posix.normalize(file)).filter((file) => !packed.some((pattern) => pattern.test(file)));
  assert.deepEqual(left, [], 'left out of the package');
});

test('the licence is that of the repository', () => {
  assert.equal(readFileSync(path.join(root, 'LICENSE'), 'utf8'), readFileSync(path.join(root, '../LICENSE'), 'utf8'));
});

test('the lock file names no package registry', () => {
  const lock = readFileSync(path.join(root, 'package-lock.json'), 'utf8');
  assert.doesNotMatch(lock, /"resolved":/);
});
