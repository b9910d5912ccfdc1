/** Asks an interpreter whether it has Osiris, and which. */
import { access, constants } from 'node:fs/promises';
import { run } from './processes';

/** `-P` keeps the working folder, and so the workspace, off the module path. */
export const asModule = ['-P', '-m', 'osiris'];

export interface Osiris {
  version: string;
}

export type Examined = Osiris | { reason: string };

// A package of another kind may be called osiris, too: it has no osiris.lsp.
const probe = `
import importlib.util, sys
if not importlib.util.find_spec("osiris") or not importlib.util.find_spec("osiris.lsp"):
    sys.exit(3)
import osiris
print("osiris", osiris.__version__)
`;

/** The Osiris of a Python, else a clause that says why it cannot serve. */
export async function examineInterpreter(python: string, around: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Examined> {
  if (!(await isProgram(python))) {
    return { reason: 'which is not a program' };
  }
  const done = await run(python, ['-P', '-c', probe], { ...around, timeoutMs: 15_000 });
  const version = /^osiris (\S+)$/m.exec(done.output)?.[1];
  if (done.code === 0 && version !== undefined) {
    return { version };
  }
  return {
    reason:
      done.code === 3
        ? 'which does not have Osiris; install Osiris into it (see its README) or name another'
        : 'which is not Python 3.11 or newer',
  };
}

export function canServe(examined: Examined): examined is Osiris {
  return 'version' in examined;
}

/** Whether server and extension understand each other: they are released together, as `major.minor.patch`. */
export function isCompatible(server: string, extension: string): boolean {
  const release = (version: string): string => version.split('.').slice(0, 2).join('.');
  return release(server) === release(extension);
}

export async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
