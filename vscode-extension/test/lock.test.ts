/** The lock between windows. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import * as path from 'node:path';
import { afterEach, test } from 'node:test';
import { tryLock } from '../src/lock';

const folders: string[] = [];

function scratchFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'osiris-lock-'));
  folders.push(folder);
  return folder;
}

afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

test('a lock that is held is not taken; one whose window was killed is', async () => {
  const lock = path.join(scratchFolder(), '.lock');
  const release = await tryLock(lock);
  assert.equal(await tryLock(lock), undefined);
  await release?.();

  const dead = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
  mkdirSync(lock);
  writeFileSync(path.join(lock, 'owner.json'), JSON.stringify({ pid: Number(dead), host: hostname() }));
  const taken = await tryLock(lock);
  assert.ok(taken);
  await taken();
});

test('a lock that grew old while the machine slept stays with its holder', async () => {
  const lock = path.join(scratchFolder(), '.lock');
  const release = await tryLock(lock, 50);
  utimesSync(lock, 0, 0);

  assert.equal(await tryLock(lock, 50), undefined);

  await release?.();
  assert.notEqual(await tryLock(lock, 50), undefined);
});

test('who lost a lock does not give back that of another', async () => {
  const lock = path.join(scratchFolder(), '.lock');
  const lost = await tryLock(lock);
  rmSync(lock, { recursive: true });
  const taken = await tryLock(lock);

  await lost?.();

  assert.equal(await tryLock(lock), undefined);
  await taken?.();
});

test('of many that find a lock left behind, one takes it', async () => {
  const lock = path.join(scratchFolder(), '.lock');
  mkdirSync(lock);
  utimesSync(lock, 0, 0);
  const taken = (await Promise.all(Array.from({ length: 20 }, () => tryLock(lock)))).filter((release) => release !== undefined);
  assert.equal(taken.length, 1);
  await taken[0]?.();
});
