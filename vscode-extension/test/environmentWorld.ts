/** What the tests of the managed environment share: the real wheels, the real Python, folders of their own. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import { readFile } from 'node:fs/promises';
import { createMessageConnection, type MessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { type Bundle, readBundle } from '../src/bundle';
import { ManagedEnvironment, ownVariables, type Surroundings } from '../src/environment';
import { type BasePython, findBasePython, type PythonSearch } from '../src/python';
import { asModule } from '../src/osirisProbe';

const extension = path.resolve(__dirname, '../..');

let copied: Promise<Bundle> | undefined;

/** The wheels that the package carries; a copy, so that they stay the same when another build of it is made meanwhile. */
export async function bundle(): Promise<Bundle> {
  copied ??= (async () => {
    const found = await readBundle(extension);
    if (found === undefined) {
      throw new Error('bundled/ is not there: npm run bundle');
    }
    const folder = scratchFolder('extension');
    cpSync(path.dirname(found.wheel), path.join(folder, 'bundled'), { recursive: true });
    return (await readBundle(folder)) as Bundle;
  })();
  return copied;
}

export function search(changes: Partial<PythonSearch> = {}): PythonSearch {
  const searchPath = process.env['PATH'] ?? '';
  return { setting: '', searchPath, home: homedir(), windows: false, folders: [], others: [], cwd: tmpdir(), ...changes };
}

export async function basePython(): Promise<BasePython> {
  const found = await findBasePython(search());
  if ('tried' in found) {
    throw new Error(`no Python to test with: ${found.tried.join('; ')}`);
  }
  return found;
}

const scratch: string[] = [];

/** A scratch folder, which may have blanks and letters of any language in its name. */
export function scratchFolder(name = 'environments'): string {
  const parent = mkdtempSync(path.join(tmpdir(), 'osiris-'));
  scratch.push(parent);
  const folder = path.join(parent, name);
  mkdirSync(folder);
  return folder;
}

export function removeScratch(): void {
  scratch.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true }));
}

/** A managed environment in `root`; what was said and shown is added to `said`. */
export async function managed(root: string, changes: Partial<Surroundings> = {}, said: string[] = []): Promise<ManagedEnvironment> {
  return new ManagedEnvironment({
    root,
    bundle: await bundle(),
    network: { proxy: '', noProxy: [] },
    variables: process.env,
    search: search(),
    log: (line) => said.push(line),
    working: (title, work) => {
      said.push(title);
      return work((message) => said.push(message), new AbortController().signal);
    },
    ...changes,
  });
}

export const never = new AbortController().signal;

/** The finished environments and the rest in `root`, by name. */
export function foldersIn(root: string): string[] {
  return readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
}

/** Does something with the server of an environment while it runs. */
async function withServer<T>(python: string, cwd: string, work: (connection: MessageConnection) => Promise<T>): Promise<T> {
  const server = spawn(python, [...asModule, 'lsp'], { cwd, env: ownVariables(process.env), stdio: ['pipe', 'pipe', 'inherit'] });
  const connection = createMessageConnection(new StreamMessageReader(server.stdout), new StreamMessageWriter(server.stdin));
  connection.listen();
  await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
  await connection.sendNotification('initialized', {});
  const result = await work(connection);
  await connection.sendRequest('shutdown');
  const gone = new Promise((resolve) => server.once('exit', resolve));
  await connection.sendNotification('exit');
  await gone;
  connection.dispose();
  return result;
}

/** The codes of what the server of an environment finds in a pipeline. */
export async function diagnosticsOf(python: string, text: string, cwd: string): Promise<unknown[]> {
  return withServer(python, cwd, async (connection) => {
    const published = new Promise<{ code: unknown }[]>((resolve) => {
      connection.onNotification('textDocument/publishDiagnostics', (params: { diagnostics: { code: unknown }[] }) => resolve(params.diagnostics));
    });
    const textDocument = { uri: 'untitled:new.oml', languageId: 'oml', version: 1, text };
    await connection.sendNotification('textDocument/didOpen', { textDocument });
    return (await published).map(({ code }) => code);
  });
}

/** The error with which the server of an environment answers a command. */
export async function refusalOf(python: string, command: string, argument: object, cwd: string): Promise<Error> {
  return withServer(python, cwd, async (connection) =>
    connection.sendRequest('workspace/executeCommand', { command, arguments: [argument] }).then(
      () => new Error('it was not refused'),
      (error: Error) => error,
    ),
  );
}

/** A Python without the module `ensurepip`, as Debian has it without its package python3-venv. */
export async function pythonWithoutEnsurepip(folder: string): Promise<string> {
  const { executable } = await basePython();
  const say = (code: string): string => execFileSync(executable, ['-I', '-c', code], { encoding: 'utf8' }).trim();
  const library = say('import sysconfig; print(sysconfig.get_path("stdlib"))');
  const name = path.basename(library);
  const [bin, lib] = [path.join(folder, 'bin'), path.join(folder, 'lib', name)];
  mkdirSync(bin, { recursive: true });
  mkdirSync(lib, { recursive: true });
  copyFileSync(executable, path.join(bin, name)); // a link would lead Python back to its own library
  for (const entry of readdirSync(library).filter((entry) => entry !== 'ensurepip' && entry !== 'site-packages')) {
    symlinkSync(path.join(library, entry), path.join(lib, entry));
  }
  const shared = say('import sysconfig; print(sysconfig.get_config_var("LDLIBRARY") or "")');
  if (shared.includes('.so') || shared.includes('.dylib')) {
    const source = path.join(path.dirname(library), shared);
    symlinkSync(source, path.join(folder, 'lib', shared));
  }
  return path.join(bin, name);
}

/** A folder with all wheels that the base install and its extra mysql need, as one brings them to a machine without a network. */
export async function wheelFolder(folder: string): Promise<string> {
  const { wheel, pip } = await bundle();
  const { executable } = await basePython();
  execFileSync(executable, ['-I', `${pip}/pip`, 'download', '--quiet', '--disable-pip-version-check', '--dest', folder, `${wheel}[mysql]`], { stdio: ['ignore', 'pipe', 'pipe'] });
  return folder;
}

/** The variables of a machine where pip knows nothing but what is given. */
export function bareVariables(given: Record<string, string>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^PIP_|_proxy$/i.test(name));
  return { ...Object.fromEntries(kept), PIP_CONFIG_FILE: '/dev/null', PIP_CACHE_DIR: scratchFolder('cache'), ...given };
}

/** A proxy that knows one host, which is nowhere else: a package index made of the wheels in a folder. */
export async function proxyToIndex(wheels: string): Promise<{ server: Server; address: string; asked: string[] }> {
  const asked: string[] = [];
  const project = (file: string): string => (file.split('-')[0] ?? '').toLowerCase().replace(/[-_.]+/g, '-');
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://none.invalid');
    asked.push(url.href);
    const [, top, name] = url.pathname.split('/');
    const files = readdirSync(wheels);
    if (url.host === 'packages.invalid' && top === 'simple') {
      const links = files.filter((file) => project(file) === name).map((file) => `<a href="/files/${file}">${file}</a>`);
      response.writeHead(links.length === 0 ? 404 : 200, { 'Content-Type': 'text/html' }).end(links.join('\n'));
    } else if (url.host === 'packages.invalid' && top === 'files' && files.includes(String(name))) {
      response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(await readFile(path.join(wheels, String(name))));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, asked, address: `127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
}
