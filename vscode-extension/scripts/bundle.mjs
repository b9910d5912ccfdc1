// Puts the Python wheels that the package carries into bundled/: Osiris itself, built from this repository, and pip.
// What is newer than all that it is made of is left alone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

// Made beside its place and moved there when it is whole: who reads meanwhile finds the old one.
function build() {
  const made = mkdtempSync(`${target}-`);
  try {
    pip('wheel', '--wheel-dir', made, repository);
    pip('download', '--dest', made, '--only-binary', ':all:', '--require-hashes', '--requirement', pin);
    const wheel = named(made, 'osiris_oml-');
    const sha256 = createHash('sha256').update(readFileSync(path.join(made, wheel))).digest('hex');
    writeFileSync(path.join(made, 'bundle.json'), `${JSON.stringify({ wheel, sha256, pip: named(made, 'pip-') }, undefined, 2)}\n`);
    rmSync(target, { recursive: true, force: true });
    renameSync(made, target);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function named(folder, prefix) {
  const found = readdirSync(folder).filter((name) => name.startsWith(prefix) && name.endsWith('.whl'));
  if (found.length !== 1) {
    throw new Error(`There should be one wheel ${prefix}..., and there are ${found.length}`);
  }
  return found[0];
}

const madeOf = [...sources, pin, fileURLToPath(import.meta.url)];
if (!existsSync(stamp) || statSync(stamp).mtimeMs <= Math.max(...madeOf.map(newest))) {
  build();
}
