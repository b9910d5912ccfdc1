// Puts the Python wheels that the package carries into bundled/: Osiris itself, built from this repository, and pip.
// What is newer than all that it is made of is left alone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const repository = path.resolve(here, '..');
const target = path.join(here, 'bundled');
const stamp = path.join(target, 'bundle.json');
const pin = path.join(here, 'scripts', 'pip.txt');
const sources = ['server', 'pyproject.toml', 'README.md', 'LICENSE', 'docs/diagnostics.md'].map((name) => path.join(repository, name));

function newest(file) {
  if (!statSync(file).isDirectory()) {
    return statSync(file).mtimeMs;
  }
  const entries = readdirSync(file).filter((name) => name !== '__pycache__' && !name.endsWith('.egg-info'));
  return Math.max(0, ...entries.map((name) => newest(path.join(file, name))));
}

function python() {
  if (process.env.PYTHON) {
    return process.env.PYTHON;
  }
  const found = spawnSync('sh', [path.join(repository, 'scripts', 'find-python')], { encoding: 'utf8' });
  if (found.status !== 0) {
    throw new Error(`The wheel of Osiris is built with Python: ${found.stderr ?? found.error}`);
  }
  return found.stdout.trim();
}

function pip(...args) {
  const done = spawnSync(python(), ['-m', 'pip', ...args, '--quiet', '--disable-pip-version-check', '--no-deps'], { encoding: 'utf8' });
  if (done.status !== 0) {
    throw new Error(`pip ${args[0]} failed: ${done.stderr || done.stdout || done.error}`);
  }
}

function build() {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  pip('wheel', '--wheel-dir', target, repository);
  pip('download', '--dest', target, '--only-binary', ':all:', '--require-hashes', '--requirement', pin);
  const wheel = named('osiris_oml-');
  const sha256 = createHash('sha256').update(readFileSync(path.join(target, wheel))).digest('hex');
  writeFileSync(stamp, `${JSON.stringify({ wheel, sha256, pip: named('pip-') }, undefined, 2)}\n`);
}

function named(prefix) {
  const found = readdirSync(target).filter((name) => name.startsWith(prefix) && name.endsWith('.whl'));
  if (found.length !== 1) {
    throw new Error(`bundled/ should hold one wheel ${prefix}..., and holds ${found.length}`);
  }
  return found[0];
}

const madeOf = [...sources, pin, fileURLToPath(import.meta.url)];
if (!existsSync(stamp) || statSync(stamp).mtimeMs <= Math.max(...madeOf.map(newest))) {
  build();
}
