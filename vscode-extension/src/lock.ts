/** A lock between processes, also of several windows: a folder that only one of them can make. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { isAlive } from './processes';

const heartbeatMs = 5_000;
/** A holder that has not shown life for this long is gone, wherever it ran, unless the whole machine was asleep. */
export const staleMs = 60_000;

interface Owner {
  pid: number;
  host: string;
  /** Tells this holder from the next one in the same process. */
  token: string;
}

/** Gives the lock back. */
export type Release = () => Promise<void>;

/**
 * Takes the lock at `folder`, or undefined when another process holds it. One that is left over is removed.
 *
 * @param beatMs how often a holder shows life
 */
export async function tryLock(folder: string, beatMs = heartbeatMs): Promise<Release | undefined> {
  await mkdir(path.dirname(folder), { recursive: true });
  const free = async (): Promise<boolean> => (await isAbandoned(folder, beatMs)) && (await breakLock(folder, beatMs));
  if (!(await made(folder)) && !((await free()) && (await made(folder)))) {
    return undefined;
  }
  const owner: Owner = { pid: process.pid, host: os.hostname(), token: randomUUID() };
  await writeFile(path.join(folder, 'owner.json'), JSON.stringify(owner));
  const beat = setInterval(() => void utimes(folder, new Date(), new Date()).catch(() => undefined), beatMs);
  beat.unref();
  return async () => {
    clearInterval(beat);
    if ((await ownerOf(folder))?.token === owner.token) {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** Whether somebody who lives holds the lock. */
export async function isHeld(folder: string): Promise<boolean> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  );
  return exists && !(await isAbandoned(folder, heartbeatMs));
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

async function isAbandoned(folder: string, beatMs: number): Promise<boolean> {
  const owner = await ownerOf(folder);
  const isHere = owner !== undefined && owner.host === os.hostname();
  if (isHere && !isAlive(owner.pid)) {
    return true;
  }
  if (!(await isStale(folder))) {
    return false;
  }
  if (isHere) {
    // After the machine was asleep every lock looks old: its holder, if it is one, shows life again in a moment.
    await new Promise((resolve) => setTimeout(resolve, 2 * beatMs));
  }
  return isStale(folder);
}

async function isStale(folder: string): Promise<boolean> {
  const age = await ageOf(folder);
  return age === undefined || age > staleMs;
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
async function breakLock(folder: string, beatMs: number): Promise<boolean> {
  const guard = `${folder}.breaking`;
  if (!(await made(guard))) {
    if ((await ageOf(guard) ?? 0) > staleMs) {
      await rm(guard, { recursive: true, force: true });
    }
    return false;
  }
  try {
    if (await isAbandoned(folder, beatMs)) {
      await rm(folder, { recursive: true, force: true });
      return true;
    }
    return false;
  } finally {
    await rm(guard, { recursive: true, force: true });
  }
}
