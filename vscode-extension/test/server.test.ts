/** Where the language server is looked for, and what is said when there is none. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { findServer, type Surroundings } from '../src/server';

let scratch = '';

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'osiris-'));
});

afterEach(() => rmSync(scratch, { recursive: true }));

/** A program that ends with the given exit code, as the probe of an interpreter would. */
function program(name: string, exitCode = 0): string {
  const file = path.join(scratch, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\nexit ${exitCode}\n`);
  chmodSync(file, 0o755);
  return file;
}

function around(changes: Partial<Surroundings> & { path?: string; interpreter?: string } = {}): Surroundings {
  const { path: serverPath = '', interpreter = '', ...rest } = changes;
  return {
    settings: { path: serverPath, interpreter },
    folders: [path.join(scratch, 'shop')],
    trusted: true,
    home: path.join(scratch, 'home'),
    searchPath: '',
    windows: false,
    ...rest,
  };
}

test('the program of the setting comes before everything else', async () => {
  const set = program('tools/osiris');
  program('shop/.venv/bin/python');
  assert.deepEqual(await findServer(around({ path: set })), { command: set, args: ['lsp'], origin: 'osiris.server.path' });
});

test('a setting may use ~ and ${workspaceFolder}, or be relative to the workspace', async () => {
  const [home, shop] = [program('home/bin/osiris'), program('shop/env/bin/osiris')];
  for (const [value, expected] of [
    ['~/bin/osiris', home],
    ['${workspaceFolder}/env/bin/osiris', shop],
    ['env/bin/osiris', shop],
  ]) {
    assert.equal((await findServer(around({ path: value as string })) as { command: string }).command, expected);
  }
});

test('a program of the setting that is not there is named, and no other server is taken instead', async () => {
  program('shop/.venv/bin/python');
  const missing = path.join(scratch, 'gone/osiris');
  assert.deepEqual(await findServer(around({ path: missing })), {
    problem: `osiris.server.path names ${missing}, which is not a program.`,
    setting: 'osiris.server.path',
  });
});

test('the interpreter of the setting serves as a module, with the working folder off its path', async () => {
  const python = program('py/bin/python');
  assert.deepEqual(await findServer(around({ interpreter: python })), {
    command: python,
    args: ['-P', '-m', 'osiris', 'lsp'],
    origin: 'osiris.server.interpreter',
  });
});

test('an interpreter without Osiris, or too old, is refused with the reason', async () => {
  const bare = program('bare/python', 3);
  const old = program('old/python', 2);
  assert.deepEqual(await findServer(around({ interpreter: bare })), {
    problem: `osiris.server.interpreter names ${bare}, which does not have Osiris; install Osiris into it (see its README) or name another.`,
    setting: 'osiris.server.interpreter',
  });
  assert.match((await findServer(around({ interpreter: old })) as { problem: string }).problem, /not Python 3\.11 or newer/);
});

test('the environment of a trusted workspace comes before the PATH', async () => {
  const own = program('shop/.venv/bin/python');
  program('usr/bin/python3');
  const found = await findServer(around({ searchPath: path.join(scratch, 'usr/bin') }));
  assert.deepEqual(found, { command: own, args: ['-P', '-m', 'osiris', 'lsp'], origin: path.join('shop', '.venv') });
});

test('an environment without Osiris is passed over', async () => {
  program('shop/.venv/bin/python', 3);
  const second = program('shop/venv/bin/python');
  assert.equal(((await findServer(around())) as { command: string }).command, second);
});

test('nothing of an untrusted workspace is started', async () => {
  program('shop/.venv/bin/python');
  const python = program('usr/bin/python3');
  const found = await findServer(around({ trusted: false, searchPath: path.join(scratch, 'usr/bin') }));
  assert.equal((found as { command: string }).command, python);
});

test('the osiris program on the PATH serves when no Python there does', async () => {
  program('usr/bin/python3', 3);
  const tool = program('usr/bin/osiris');
  const found = await findServer(around({ searchPath: path.join(scratch, 'usr/bin') }));
  assert.deepEqual(found, { command: tool, args: ['lsp'], origin: tool });
});

test('another program that is called osiris is not taken', async () => {
  program('usr/bin/osiris', 2);
  assert.ok('problem' in (await findServer(around({ searchPath: path.join(scratch, 'usr/bin') }))));
});

test('relative entries of the PATH are passed over', async () => {
  program('bin/python3');
  const relative = path.relative(process.cwd(), path.join(scratch, 'bin'));
  assert.ok('problem' in (await findServer(around({ searchPath: relative }))));
});

test('an environment above the workspace is not started: trusting a folder does not vouch for what stands above it', async () => {
  program('.venv/bin/python');
  assert.ok('problem' in (await findServer(around())));
});

test('without any server, the message says where was looked and what to do', async () => {
  assert.deepEqual(await findServer(around()), {
    problem:
      'The Osiris language server was not found: no Python 3.11 or newer with Osiris in .venv or venv of this folder ' +
      '(those of folders above it are not used) or on the PATH. Install Osiris into a .venv of this folder (see its ' +
      'README), or name a Python that has it in the setting osiris.server.interpreter.',
  });
});

test('without any server for a folder that is not trusted, the message says that its .venv is not used', async () => {
  program('shop/.venv/bin/python');
  assert.deepEqual(await findServer(around({ trusted: false })), {
    problem:
      'The Osiris language server was not found: no Python 3.11 or newer with Osiris on the PATH, and the .venv of a ' +
      'folder that is not trusted is not used. Trust this folder, or name a Python that has it in the setting ' +
      'osiris.server.interpreter.',
  });
});
