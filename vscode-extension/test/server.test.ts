/** Where the language server is looked for, and what is said when there is none. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Cancelled, Problem } from '../src/problem';
import { findServer, type Surroundings } from '../src/server';

let scratch = '';

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'osiris-'));
});

afterEach(() => rmSync(scratch, { recursive: true }));

/** An interpreter that has the given version of Osiris, or, with an exit code, one that says it has none. */
function program(name: string, answer: string | number = '0.1.0'): string {
  const file = path.join(scratch, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, typeof answer === 'number' ? `#!/bin/sh\nexit ${answer}\n` : `#!/bin/sh\necho osiris ${answer}\n`);
  chmodSync(file, 0o755);
  return file;
}

const notes: string[] = [];

function around(changes: Partial<Surroundings> & { path?: string; interpreter?: string } = {}): Surroundings {
  const { path: serverPath = '', interpreter = '', ...rest } = changes;
  notes.length = 0;
  return {
    settings: { path: serverPath, interpreter },
    folders: [path.join(scratch, 'shop')],
    trusted: true,
    home: path.join(scratch, 'home'),
    searchPath: '',
    windows: false,
    version: '0.1.0',
    cwd: scratch,
    managed: async () => '/storage/environments/one/bin/python',
    note: (line) => notes.push(line),
    ...rest,
  };
}

/** A managed environment that cannot be made. */
const offline = async (): Promise<string> => {
  throw new Problem('The package index cannot be reached.');
};

const managedServer = {
  command: '/storage/environments/one/bin/python',
  args: ['-P', '-m', 'osiris', 'lsp'],
  origin: 'managed environment',
  managed: true,
  python: '/storage/environments/one/bin/python',
};

test('the program of the setting comes before everything else', async () => {
  const set = program('tools/osiris');
  program('shop/.venv/bin/python');
  assert.deepEqual(await findServer(around({ path: set })), {
    command: set,
    args: ['lsp'],
    origin: 'osiris.server.path',
    managed: false,
  });
});

test('a setting may use ~ and ${workspaceFolder}, or be relative to the workspace', async () => {
  const [home, shop] = [program('home/bin/osiris'), program('shop/env/bin/osiris')];
  for (const [value, expected] of [
    ['~/bin/osiris', home],
    ['${workspaceFolder}/env/bin/osiris', shop],
    ['env/bin/osiris', shop],
  ]) {
    assert.equal((await findServer(around({ path: value as string }))).command, expected);
  }
});

test('a program of the setting that is not there is named, and no other server is taken instead', async () => {
  program('shop/.venv/bin/python');
  const missing = path.join(scratch, 'gone/osiris');
  await assert.rejects(findServer(around({ path: missing })), {
    message: `osiris.server.path names ${missing}, which is not a program.`,
    setting: 'osiris.server.path',
  });
});

test('the interpreter of the setting serves as a module, with the working folder off its path', async () => {
  const python = program('py/bin/python');
  assert.deepEqual(await findServer(around({ interpreter: python })), {
    command: python,
    args: ['-P', '-m', 'osiris', 'lsp'],
    origin: 'osiris.server.interpreter',
    managed: false,
    python,
  });
});

test('an interpreter without Osiris, or too old, is refused with the reason', async () => {
  const bare = program('bare/python', 3);
  const old = program('old/python', 2);
  await assert.rejects(findServer(around({ interpreter: bare })), {
    message: `osiris.server.interpreter names ${bare}, which does not have Osiris; install Osiris into it (see its README) or name another.`,
    setting: 'osiris.server.interpreter',
  });
  await assert.rejects(findServer(around({ interpreter: old })), /not Python 3\.11 or newer/);
});

test('an interpreter of the setting with another release of Osiris serves, and the difference is told', async () => {
  const python = program('py/bin/python', '0.7.3');
  assert.equal((await findServer(around({ interpreter: python }))).command, python);
  assert.deepEqual(notes, ['osiris.server.interpreter has Osiris 0.7.3, this extension is 0.1.0: some features may not work.']);
});

test('the environment of a trusted workspace comes before the managed one', async () => {
  const own = program('shop/.venv/bin/python');
  const found = await findServer(around());
  assert.equal(found.command, own);
  assert.equal(found.origin, path.join('shop', '.venv'));
});

test('an environment of the workspace without Osiris, or with another release, is passed over, and the report says so', async () => {
  program('shop/.venv/bin/python', 3);
  program('shop/venv/bin/python', '0.2.0');
  assert.deepEqual(await findServer(around()), managedServer);
  assert.deepEqual(notes, [
    `${path.join('shop', '.venv')} is passed over: it has no Osiris.`,
    `${path.join('shop', 'venv')} is passed over: it has Osiris 0.2.0, and this extension is 0.1.0.`,
  ]);
});

test('without a setting and an environment of the workspace, the managed environment serves, whatever is on the PATH', async () => {
  program('usr/bin/python3');
  assert.deepEqual(await findServer(around({ searchPath: path.join(scratch, 'usr/bin') })), managedServer);
});

test('nothing of an untrusted workspace is started: the managed environment serves', async () => {
  program('shop/.venv/bin/python');
  assert.deepEqual(await findServer(around({ trusted: false })), managedServer);
});

test('in an untrusted workspace a setting counts only if what it names lies outside of it', async () => {
  const inside = program('shop/env/bin/python');
  const outside = program('own/bin/python');
  symlinkSync(path.dirname(inside), path.join(scratch, 'link'));
  const through = path.join(scratch, 'link', 'python');
  for (const [interpreter, expected] of [
    ['env/bin/python', managedServer.command],
    [through, managedServer.command],
    [outside, outside],
  ] as const) {
    assert.equal((await findServer(around({ trusted: false, interpreter }))).command, expected);
  }
});

test('where the managed environment cannot be made, Osiris on the PATH serves a trusted workspace', async () => {
  const python = program('usr/bin/python3');
  const found = await findServer(around({ searchPath: path.join(scratch, 'usr/bin'), managed: offline }));
  assert.equal(found.command, python);
  assert.equal(found.managed, false);
  assert.deepEqual(notes, [`The package index cannot be reached. The Osiris on the PATH serves instead: ${python}`]);
});

test('the osiris program on the PATH serves when no Python there does', async () => {
  program('usr/bin/python3', 3);
  const tool = program('usr/bin/osiris', 0);
  const found = await findServer(around({ searchPath: path.join(scratch, 'usr/bin'), managed: offline }));
  assert.deepEqual(found, { command: tool, args: ['lsp'], origin: tool, managed: false });
});

test('the PATH serves neither a workspace that is not trusted, nor one whose user cancelled', async () => {
  program('usr/bin/python3');
  const searchPath = path.join(scratch, 'usr/bin');
  await assert.rejects(findServer(around({ searchPath, managed: offline, trusted: false })), /cannot be reached/);
  const cancelled = async (): Promise<string> => {
    throw new Cancelled('You cancelled it.');
  };
  await assert.rejects(findServer(around({ searchPath, managed: cancelled })), /You cancelled it/);
});

test('on the PATH, another program that is called osiris, relative entries and the workspace are passed over', async () => {
  program('usr/bin/osiris', 2);
  program('bin/python3');
  program('shop/bin/python3');
  const relative = path.relative(process.cwd(), path.join(scratch, 'bin'));
  const searchPath = [path.join(scratch, 'usr/bin'), relative, path.join(scratch, 'shop/bin')].join(path.delimiter);
  await assert.rejects(findServer(around({ searchPath, managed: offline })), /cannot be reached/);
});

test('an environment above the workspace is not started: trusting a folder does not vouch for what stands above it', async () => {
  program('.venv/bin/python');
  assert.deepEqual(await findServer(around()), managedServer);
});
