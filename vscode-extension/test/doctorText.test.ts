/** The report of Osiris: Doctor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doctorText, type Facts } from '../src/doctorText';

const facts: Facts = {
  extension: 'osiris-oml.osiris-oml 0.1.0',
  editor: 'Visual Studio Code 1.139.0',
  system: 'Linux 6.1 x64',
  home: '/home/anna',
  trusted: true,
  folders: 1,
  state: 'running',
  server: { command: '/home/anna/storage/bin/python -P -m osiris lsp', origin: 'managed environment', version: '0.1.0' },
  notes: ['shop/.venv is passed over: it has no Osiris.'],
  environments: [{ folder: '/home/anna/storage/one', version: '0.1.0', python: '3.11.7', base: '/usr/bin/python3.11', extras: ['run'], used: true }],
  bundle: 'osiris_oml-0.1.0-py3-none-any.whl (sha256 73f5201beddb)',
  network: [{ name: 'HTTPS_PROXY', value: 'http://anna:s3cret@proxy.example:3128' }],
  settings: [['osiris.compileOnSave', false]],
  doctor: 'ok      osiris: 0.1.0',
  lastInstall: 'Looking in indexes: https://anna:t0ken@packages.example/simple\nSuccessfully installed osiris-oml-0.1.0',
};

test('the report reads well, and knows no secret and no name of the user', () => {
  assert.equal(doctorText(facts), `# Osiris: Doctor

This report holds no passwords or tokens as far as they can be told. Read it before you paste it.

## Editor

- extension: osiris-oml.osiris-oml 0.1.0
- editor: Visual Studio Code 1.139.0
- system: Linux 6.1 x64
- workspace: trusted, 1 folder

## Language server

- state: running
- version: 0.1.0
- found by: managed environment
- command: ~/storage/bin/python -P -m osiris lsp
- note: shop/.venv is passed over: it has no Osiris.

## Managed environment

- wheel: osiris_oml-0.1.0-py3-none-any.whl (sha256 73f5201beddb)
- in use: ~/storage/one (Osiris 0.1.0, Python 3.11.7 from /usr/bin/python3.11, extras: run)

## Network

- HTTPS_PROXY: http://***@proxy.example:3128

## Settings that differ from their default

- osiris.compileOnSave: false

## What the server says of itself

\`\`\`\`text
ok      osiris: 0.1.0
\`\`\`\`

## What pip said last

\`\`\`\`text
Looking in indexes: https://***@packages.example/simple
Successfully installed osiris-oml-0.1.0
\`\`\`\`
`);
});

test('without a server the report says why', () => {
  const { server: _, lastInstall: __, ...rest } = facts;
  const text = doctorText({ ...rest, lastInstall: undefined, state: 'failed: The proxy cannot be reached.', environments: [], network: [], settings: [] });
  assert.match(text, /- state: failed: The proxy cannot be reached\./);
  assert.match(text, /- none has been made/);
  assert.doesNotMatch(text, /found by|What pip said/);
});
