/** A lock between processes, also of several windows: a folder that only one of them can make. */
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { isAlive } from './processes';

const heartbeatMs = 5_000;
/** A holder that has not shown life for this long is gone, wherever it ran. */
export const staleMs = 60_000;

interface Owner {
  pid: number;
  host: string;
}

/** Gives the lock back. */
export type Release = () => Promise<void>;

/** Takes the lock at `folder`, or undefined when another process holds it. One that is left over is removed. */
export async function tryLock(folder: string): Promise<Release | undefined> {
  await mkdir(path.dirname(folder), { recursive: true });
  if (!(await made(folder)) && !((await isAbandoned(folder)) && (await breakLock(folder)) && (await made(folder)))) {
    return undefined;
  }
  const owner: Owner = { pid: process.pid, host: os.hostname() };
  await writeFile(path.join(folder, 'owner.json'), JSON.stringify(owner));
  const beat = setInterval(() => void utimes(folder, new Date(), new Date()).catch(() => undefined), heartbeatMs);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await rm(folder, { recursive: true, force: true });
  };
}

/** Whether somebody who lives holds the lock. */
export async function isHeld(folder: string): Promise<boolean> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  );
  return exists && !(await isAbandoned(folder));
}

async function made(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  const age = await ageOf(folder);
  if (age === undefined || age > staleMs) {
    return true;
  }
  const owner = await ownerOf(folder);
  return owner !== undefined && owner.host === os.hostname() && !isAlive(owner.pid);
}

async function ageOf(folder: string): Promise<number | undefined> {
  return stat(folder).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => undefined,
  );
}

async function ownerOf(folder: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path.join(folder, 'owner.json'), 'utf8')) as Owner;
  } catch {
    return undefined; // its holder has not written it yet
  }
}

/** Removes an abandoned lock. A second lock keeps two that do so from removing what the other one has just made. */
async function breakLock(folder: string): Promise<boolean> {
  const guard = `${folder}.breaking`;
  if (!(await made(guard))) {
    if ((await ageOf(guard) ?? 0) > staleMs) {
      await rm(guard, { recursive: true, force: true });
    }
    return false;
  }
  try {
    if (await isAbandoned(folder)) {
      await rm(folder, { recursive: true, force: true });
      return true;
    }
    return false;
  } finally {
    await rm(guard, { recursive: true, force: true });
  }
}
