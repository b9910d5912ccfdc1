/** The Python wheels that come with the extension. */
import { readFile } from 'node:fs/promises';
import * as path from 'node:path';

export interface Bundle {
  /** The wheel of Osiris. */
  wheel: string;
  sha256: string;
  /** The wheel of pip, which Pythons of some systems lack. */
  pip: string;
}

/** The wheels of an installed extension; undefined where it was built without them. */
export async function readBundle(extension: string): Promise<Bundle | undefined> {
  const folder = path.join(extension, 'bundled');
  try {
    const named = JSON.parse(await readFile(path.join(folder, 'bundle.json'), 'utf8')) as Bundle;
    return { wheel: path.join(folder, named.wheel), sha256: named.sha256, pip: path.join(folder, named.pip) };
  } catch {
    return undefined;
  }
}
