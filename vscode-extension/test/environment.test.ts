/** The managed environment, made for real: with the wheels of the package, a Python of this machine, and pip. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { missingPackages } from '../src/answers';
import type { Environment } from '../src/environment';
import { Cancelled, Problem } from '../src/problem';
import { findBasePython } from '../src/python';
import {
  bareVariables, bundle, diagnosticsOf, foldersIn, managed, never, proxyToIndex, pythonWithoutEnsurepip, refusalOf,
  removeScratch, scratchFolder, search, wheelFolder,
} from './environmentWorld';

const pipeline = 'oml_version: "0.1.0"\nname: orders\nsteps:\n  - id: read\n    component: sqlite.extracter\n    mode: read\n';

const none = bareVariables({ PIP_NO_INDEX: '1' });
let wheels = '';
let root = '';
let environment: Environment;
const said: string[] = [];

/** pip takes packages from a folder of wheels alone. */
function fromWheels(): NodeJS.ProcessEnv {
  return bareVariables({ PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels });
}

// The package index brings what the server needs, once; most tests look at this environment.
before(async () => {
  root = scratchFolder('Ünï cödé dir');
  environment = await (await managed(root, {}, said)).ensure(never);
  wheels = await wheelFolder(scratchFolder('wheels'));
});

after(removeScratch);

test('its server finds what is wrong, also in a folder named Ünï cödé dir', async () => {
  assert.ok(environment.python.includes('Ünï cödé dir'));
  assert.deepEqual(await diagnosticsOf(environment.python, pipeline, root), ['OML124']);
});

test('its making is shown step by step', () => {
  assert.equal(said[0], 'Osiris sets up its Python environment');
  for (const message of ['looking for Python', 'looking for pydantic', 'installing']) {
    assert.ok(said.includes(message), said.join('\n'));
  }
});

test('an environment that is there is used again, without a word and without a network', async () => {
  const words: string[] = [];
  const again = await (await managed(root, { variables: none }, words)).ensure(never);
  assert.equal(again.folder, environment.folder);
  assert.deepEqual(words, []);
});

test('nothing that is set for another Python gets into it', async () => {
  const trap = scratchFolder('trap');
  mkdirSync(path.join(trap, 'osiris'));
  writeFileSync(path.join(trap, 'osiris', '__init__.py'), 'raise SystemExit(7)');
  const variables = { ...none, PYTHONPATH: trap, PYTHONHOME: '/nowhere' };
  assert.equal((await (await managed(root, { variables })).find())?.folder, environment.folder);
});

test('one without its stamp was left half made: it is not used, and removed later', async () => {
  const window = await managed(root);
  const stamp = path.join(environment.folder, 'osiris-environment.json');
  renameSync(stamp, `${stamp}.gone`);
  assert.equal(await window.find(), undefined);
  renameSync(`${stamp}.gone`, stamp);

  mkdirSync(path.join(root, 'half', 'bin'), { recursive: true });
  const release = await window.use(environment);
  await window.cleanUp();
  await release();
  assert.deepEqual(foldersIn(root), [path.basename(environment.folder)]);
});

test('one into which a window was installing when it ended is not used', async () => {
  const mark = path.join(environment.folder, 'installing');
  writeFileSync(mark, 'run');
  assert.equal(await (await managed(root)).find(), undefined);
  rmSync(mark);
});

test('another version of the extension does not use it; an old one goes when no window uses it', async () => {
  const newer = await managed(root, { bundle: { ...(await bundle()), sha256: '0'.repeat(64) } });
  assert.equal(await newer.find(), undefined);

  const old: Environment = { ...environment, folder: path.join(root, 'old') };
  mkdirSync(old.folder);
  writeFileSync(path.join(old.folder, 'osiris-environment.json'), JSON.stringify({ ...environment.stamp, wheel: '1'.repeat(64) }));
  const window = await managed(root);
  const [mine, another] = [await window.use(environment), await window.use(old)];
  await window.cleanUp();
  assert.ok(existsSync(old.folder), 'it was in use');
  await another();
  await window.cleanUp();
  await mine();
  assert.deepEqual(foldersIn(root), [path.basename(environment.folder)]);
});

test('one that follows another version gets its extras, without being asked again', async () => {
  const place = scratchFolder();
  const old = path.join(place, 'old');
  mkdirSync(old);
  const extras = ['mysql'];
  writeFileSync(path.join(old, 'osiris-environment.json'), JSON.stringify({ ...environment.stamp, wheel: '1'.repeat(64), extras }));
  const words: string[] = [];
  const window = await managed(place, { variables: fromWheels() }, words);

  const made = await window.ensure(never);
  const release = await window.use(made);
  await window.cleanUp();
  assert.deepEqual([made.stamp.extras, made.stamp.wanted], [[], extras]);
  await window.restore(made);
  await release();

  assert.ok(words.includes('Osiris installs what it needs for mysql'), words.join('\n'));
  assert.deepEqual((await window.find())?.stamp.extras, extras);
  words.length = 0;
  await window.restore(made);
  assert.deepEqual(words, [], 'once is enough');
});

test('who cancels the extras of the version before is not asked again', async () => {
  const file = path.join(environment.folder, 'osiris-environment.json');
  writeFileSync(file, JSON.stringify({ ...environment.stamp, wanted: ['run'] }));
  const window = await managed(root, { working: (_title, work) => work(() => undefined, AbortSignal.abort()) });

  await assert.rejects(window.restore(environment), Cancelled);

  assert.deepEqual((await window.find())?.stamp.wanted, []);
  writeFileSync(file, JSON.stringify(environment.stamp));
});

test('an extra that cannot be had leaves it as it was', async () => {
  const window = await managed(root, { variables: none });
  await assert.rejects(window.install(environment, 'run'), /No package index or wheel folder that pip may use has \S+ for this Python/);
  assert.equal((await window.find())?.folder, environment.folder);
});

test('a run that needs more says which extra brings it, in the way the extension understands', async () => {
  const orders = path.join(scratchFolder('shop'), 'orders.oml');
  writeFileSync(orders, pipeline.replace('extracter', 'extractor'));
  const refused = await refusalOf(environment.python, 'osiris.run', { uri: pathToFileURL(orders).href }, root);
  assert.match(refused.message, /^The component sqlite\.extractor needs the Python package duckdb, which is not installed here\. Install it: pip install /);
  assert.deepEqual(missingPackages(refused), {
    packages: ['duckdb'],
    extra: 'run',
    install: 'pip install "duckdb>=2.0" "pyarrow>=17" "sqlalchemy>=2.0" "sqlglot>=26"',
  });
  assert.ok(!existsSync(path.join(path.dirname(orders), 'logs')), 'no run was begun');
});

test('a discovery that needs more says which extra brings it', async () => {
  const shop = scratchFolder('shop');
  const connections = 'connections:\n  mysql:\n    shop: {host: 127.0.0.1, database: shop, user: anna, password: x}\n';
  writeFileSync(path.join(shop, 'osiris_connections.yaml'), connections);
  const argument = { uri: pathToFileURL(path.join(shop, 'osiris_connections.yaml')).href };
  const refused = await refusalOf(environment.python, 'osiris.discover', argument, root);
  assert.deepEqual(missingPackages(refused), { packages: ['pymysql'], extra: 'mysql', install: 'pip install "pymysql>=1.2"' });
});

test('a Python without ensurepip and pip will do, and its end is noticed', async () => {
  const [place, home] = [scratchFolder(), scratchFolder('python')];
  const bare = await pythonWithoutEnsurepip(home);
  const plain = spawnSync(bare, ['-m', 'venv', path.join(place, 'plain')]);
  assert.notEqual(plain.status, 0, 'this Python has ensurepip');
  rmSync(path.join(place, 'plain'), { recursive: true });

  const words: string[] = [];
  const window = await managed(place, { variables: fromWheels(), search: search({ setting: bare }) }, words);
  const made = await window.ensure(never);
  assert.deepEqual(await diagnosticsOf(made.python, pipeline, place), ['OML124']);

  rmSync(home, { recursive: true });
  assert.equal(await window.find(), undefined);
  assert.match(words.at(-1) ?? '', /does not work any more \(its Python .* changed or is gone\)/);
});

test('the proxy of the settings is used, and PIP_INDEX_URL is asked through it', async () => {
  const { server, address, asked } = await proxyToIndex(wheels);
  try {
    const variables = bareVariables({ PIP_INDEX_URL: 'http://packages.invalid/simple', PIP_TRUSTED_HOST: 'packages.invalid' });
    await (await managed(scratchFolder(), { variables, network: { proxy: address, noProxy: [] } })).ensure(never);
  } finally {
    server.close();
  }
  assert.ok(asked.includes('http://packages.invalid/simple/pygls/'), asked.join('\n'));
});

test('without any index, the message says what to do, and nothing is left behind', async () => {
  const place = scratchFolder();
  await assert.rejects((await managed(place, { variables: none })).ensure(never), (error: Error) => {
    assert.ok(error instanceof Problem);
    assert.match(error.message, /^Osiris could not install its Python packages\. No package index or wheel folder that pip may use has \S+ for this Python\./);
    assert.match(error.message, /PIP_FIND_LINKS.*osiris\.server\.interpreter.*Osiris: Restart Server/);
    return true;
  });
  assert.deepEqual(foldersIn(place), []);
});

test('behind a proxy that cannot be reached the message names it; then, with a wheel folder, three windows make one environment', async () => {
  const place = scratchFolder();
  const unreachable = bareVariables({ PIP_INDEX_URL: 'https://packages.invalid/simple', PIP_RETRIES: '0' });
  const words: string[] = [];
  const failing = await managed(place, { variables: unreachable, network: { proxy: 'http://anna:s3cret@127.0.0.1:9', noProxy: [] } }, words);
  await assert.rejects(failing.ensure(never), /cannot be reached through the proxy\. Check the setting http\.proxy/);
  const output = (await failing.lastOutput()) ?? '';
  assert.match(output, /127\.0\.0\.1/);
  assert.doesNotMatch(words.join('\n') + output, /s3cret|anna/);

  const variables = fromWheels();
  const windows = await Promise.all([1, 2, 3].map(() => managed(place, { variables })));
  const made = await Promise.all(windows.map((window) => window.ensure(never)));
  assert.equal(new Set(made.map((one) => one.folder)).size, 1);
  assert.equal(foldersIn(place).length, 1);
});

test('cancelling ends pip and leaves nothing behind', async () => {
  const place = scratchFolder();
  const cancelled = new AbortController();
  const window = await managed(place, {
    working: (_title, work) => work((message) => void (message.startsWith('looking for ') && message !== 'looking for Python' && cancelled.abort()), cancelled.signal),
  });
  await assert.rejects(window.ensure(never), Cancelled);
  assert.deepEqual(foldersIn(place), []);
});

test('a Python of the setting that will not do is named with the reason', async () => {
  const setting = path.join(scratchFolder('old'), 'python3');
  writeFileSync(setting, '#!/bin/sh\nexit 2\n', { mode: 0o755 });
  await assert.rejects((await managed(scratchFolder(), { search: search({ setting }) })).ensure(never), {
    message: `osiris.server.basePython names ${setting}, which will not do: it is not Python 3.11 or newer.`,
    setting: 'osiris.server.basePython',
  });
});

test('no Python inside the workspace is started', async () => {
  const workspace = scratchFolder('workspace');
  const trap = path.join(workspace, 'bin');
  mkdirSync(trap);
  writeFileSync(path.join(trap, 'python3'), `#!/bin/sh\ntouch "${workspace}/started"\nexit 2\n`, { mode: 0o755 });
  const searchPath = `${trap}${path.delimiter}${process.env['PATH']}`;
  const found = await findBasePython(search({ searchPath, folders: [workspace], others: [path.join(trap, 'python3')] }));
  assert.ok('executable' in found);
  assert.ok(!existsSync(path.join(workspace, 'started')));
});
