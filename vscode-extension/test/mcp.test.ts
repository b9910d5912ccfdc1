/** Which MCP servers are offered to the agents of VS Code, and what is started for them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type McpDefinition, type McpHost, type McpProvider, mcpProviderId, type McpSurroundings, offerMcpServers } from '../src/mcp';

let scratch = '';
let shop = '';

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'osiris-'));
  shop = path.join(scratch, 'shop');
  mkdirSync(shop);
  mkdirSync(path.join(scratch, 'other'));
  writeFileSync(path.join(shop, 'osiris.yaml'), 'version: 1\n');
});

afterEach(() => rmSync(scratch, { recursive: true }));

class Definition implements McpDefinition {
  constructor(
    public label: string,
    public command: string,
    public args: string[],
    public env: McpDefinition['env'],
    public version: string,
  ) {}
}

function offered(changes: Partial<McpSurroundings> = {}): McpProvider {
  const found: McpProvider[] = [];
  const host: McpHost = {
    lm: { registerMcpServerDefinitionProvider: (id, provider) => (assert.equal(id, mcpProviderId), found.push(provider), { dispose: () => undefined }) },
    McpStdioServerDefinition: Definition,
  };
  const server = { command: '/env/bin/python', args: ['-P', '-m', 'osiris', 'lsp'], origin: 'managed environment', managed: true };
  offerMcpServers(host, {
    trusted: () => true,
    folders: () => [shop, path.join(scratch, 'other')],
    server: async () => server,
    prepare: async () => undefined,
    onChanged: undefined,
    version: '0.1.0',
    ...changes,
  });
  assert.equal(found.length, 1);
  return found[0] as McpProvider;
}

test('each project of a trusted workspace has a server that may only look', async () => {
  const prepared: string[] = [];
  const provider = offered({ prepare: async ({ command }) => void prepared.push(command) });
  const definitions = provider.provideMcpServerDefinitions();
  assert.deepEqual(definitions.map(({ label }) => label), ['Osiris: shop']);
  const started = await provider.resolveMcpServerDefinition(definitions[0] as McpDefinition);
  assert.equal(started?.command, '/env/bin/python');
  assert.deepEqual(started.args, ['-P', '-m', 'osiris', 'mcp', '--project', shop]);
  assert.equal(started.env['PYTHONPATH'], null);
  assert.deepEqual(prepared, ['/env/bin/python']);
});

test('nothing is offered, and nothing started, in a workspace that is not trusted', async () => {
  const provider = offered({ trusted: () => false, server: () => assert.fail('started') });
  assert.deepEqual(provider.provideMcpServerDefinitions(), []);
  assert.equal(await provider.resolveMcpServerDefinition(new Definition('', '', ['mcp', '--project', shop], {}, '')), undefined);
});

test('where there is no server, the agent is told', async () => {
  const provider = offered({ server: async () => undefined });
  const [definition] = provider.provideMcpServerDefinitions();
  await assert.rejects(provider.resolveMcpServerDefinition(definition as McpDefinition), /No Osiris was found/);
});

test('an editor that knows no such servers is left alone', () => {
  const around = {} as McpSurroundings;
  assert.equal(offerMcpServers({}, around), undefined);
  assert.equal(offerMcpServers({ lm: {} }, around), undefined);
});

test('the manifest announces the provider', () => {
  const manifest = JSON.parse(readFileSync(path.resolve(__dirname, '../../package.json'), 'utf8'));
  assert.deepEqual(manifest.contributes.mcpServerDefinitionProviders, [{ id: mcpProviderId, label: 'Osiris' }]);
});
