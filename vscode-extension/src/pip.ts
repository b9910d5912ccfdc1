/** Runs pip from the wheel that comes with the extension, follows what it does, and says why it failed. */
import { masked } from './masking';
import { run } from './processes';

/** Proxy settings of the editor; empty where they are not set. */
export interface Network {
  proxy: string;
  noProxy: string[];
}

/** What would send packages elsewhere than into the environment, or take away the lines that progress is read from. */
const misleading = [
  'PIP_USER', 'PIP_TARGET', 'PIP_PREFIX', 'PIP_ROOT', 'PIP_PYTHON', 'PIP_DRY_RUN', 'PIP_REQUIREMENT', 'PIP_EDITABLE',
  'PIP_NO_DEPS', 'PIP_QUIET', 'PIP_VERBOSE', 'PIP_REQUIRE_VIRTUALENV', 'PYTHONHOME', 'PYTHONPATH',
];

/**
 * The environment pip runs in. Its own settings (PIP_INDEX_URL, PIP_FIND_LINKS, PIP_CERT, pip.conf, ...) and the
 * proxy variables count as they do in a terminal; a proxy of the editor's settings comes before those variables.
 */
export function pipEnvironment(base: NodeJS.ProcessEnv, network: Network): NodeJS.ProcessEnv {
  const env = { ...base };
  misleading.forEach((name) => delete env[name]);
  if (network.proxy !== '') {
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) {
      delete env[name];
      delete env[name.toLowerCase()];
    }
    // A scheme is required by pip, but not by the editor.
    const proxy = /^[a-z][a-z0-9+.-]*:\/\//i.test(network.proxy) ? network.proxy : `http://${network.proxy}`;
    env['HTTP_PROXY'] = env['http_proxy'] = env['HTTPS_PROXY'] = env['https_proxy'] = proxy;
    if (network.noProxy.length > 0) {
      const spared = [env['NO_PROXY'] ?? env['no_proxy'] ?? '', ...network.noProxy].filter((host) => host !== '');
      env['NO_PROXY'] = env['no_proxy'] = spared.join(',');
    }
  }
  env['PYTHONUTF8'] = '1';
  if (env['PIP_RETRIES'] === undefined || env['PIP_RETRIES'] === '0') {
    env['PIP_RETRIES'] = '2'; // why an index does not answer is told only with another attempt
  }
  return env;
}

export interface Install {
  python: string;
  /** The wheel of pip itself. */
  pip: string;
  requirements: string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  signal: AbortSignal;
  /** Told what pip does, in words for a user. */
  progress: (message: string) => void;
}

export interface Installed {
  ok: boolean;
  /** All that pip said, masked. */
  output: string;
  /** Whether pip had begun to write packages into the environment. */
  began: boolean;
}

/** Installs into the environment of an interpreter. Asking for the end is heeded until pip begins to write packages. */
export async function pipInstall(install: Install): Promise<Installed> {
  const lines: string[] = [];
  const stop = new AbortController();
  let began = false;
  const cancel = (): void => {
    if (!began) {
      stop.abort();
    }
  };
  install.signal.addEventListener('abort', cancel);
  const plain = ['--no-input', '--disable-pip-version-check', '--no-warn-script-location', '--progress-bar', 'off'];
  const options = [...plain, '--no-user', '--prefer-binary'];
  const done = await run(
    install.python,
    ['-I', `${install.pip}/pip`, 'install', ...options, ...install.requirements],
    {
      cwd: install.cwd,
      env: install.env,
      signal: install.signal.aborted ? install.signal : stop.signal,
      onLine: (line) => {
        lines.push(line);
        began ||= line.startsWith('Installing collected packages');
        const message = progressOf(line);
        if (message !== undefined) {
          install.progress(message);
        }
      },
    },
  );
  install.signal.removeEventListener('abort', cancel);
  const failure = done.code === undefined && lines.length === 0 ? [done.errors] : [];
  return { ok: done.code === 0, output: masked([...lines, ...failure].join('\n')), began };
}

/** A line of pip as progress, or undefined for one that says nothing new. */
export function progressOf(line: string): string | undefined {
  const collecting = /^Collecting ([\w.-]+)/.exec(line);
  if (collecting !== null) {
    return `looking for ${collecting[1]}`;
  }
  const downloading = /^\s*Downloading \S*?([\w.]+)-\d[^\s/]*\.(?:whl|tar\.gz|zip)(?: \(([\d.]+ ?\w+)\))?/.exec(line);
  if (downloading !== null) {
    const [, name, size] = downloading;
    return `downloading ${name}${size === undefined ? '' : ` (${size})`}`;
  }
  return line.startsWith('Installing collected packages') ? 'installing' : undefined;
}

const offline = `If this machine has no way to a package index, put the wheels into a folder, name it in the environment \
variable PIP_FIND_LINKS, set PIP_NO_INDEX=1 and start VS Code anew; or name a Python that has osiris-oml in the setting \
osiris.server.interpreter. Then run Osiris: Restart Server.`;

const behindProxy = `The package index cannot be reached through the proxy. Check the setting http.proxy and the variables \
HTTP_PROXY and HTTPS_PROXY. ${offline}`;

const unreachable = `The package index cannot be reached. ${offline}`;

const again = 'then run Osiris: Restart Server.';

/** What pip says, and what it means; the first that fits counts. */
const reasons: [said: RegExp, meaning: string][] = [
  [/No space left on device|Errno 28|not enough space on the disk/i, `The disk is full. Make room, ${again}`],
  [
    /407|Proxy Authentication Required/,
    `The proxy asks for a name and a password. Put them into the setting http.proxy or the variable HTTPS_PROXY, ${again}`,
  ],
  [/ProxyError|Cannot connect to proxy|Tunnel connection failed/i, behindProxy],
  [
    /CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLError/i,
    'The certificate of the package index is not trusted here. Name the file of your certificates in the environment ' +
      `variable PIP_CERT, start VS Code anew, ${again}`,
  ],
  [
    /is not a trusted or secure host/,
    'The package index is not asked, because its address does not begin with https. Name its host in the environment ' +
      `variable PIP_TRUSTED_HOST if you trust it, start VS Code anew, ${again}`,
  ],
  [
    /\b(?:401|403)\b[^\n]*(?:Client )?Error|Unauthorized|Forbidden/i,
    `The package index refuses this user. Check PIP_INDEX_URL or pip.conf, ${again}`,
  ],
  [
    /Name or service not known|name resolution|getaddrinfo|nodename nor servname|NameResolutionError|NewConnectionError/i,
    unreachable,
  ],
  [
    /Network is unreachable|No route to host|Connection refused|ConnectTimeout|Read timed out|Max retries exceeded/i,
    unreachable,
  ],
  [/Connection reset|RemoteDisconnected/i, unreachable],
  [/Could not find a version that satisfies|No matching distribution found/, ''],
  [/Permission denied|Access is denied/i, 'A file could not be written: permission denied.'],
];

/** Why pip failed in this environment, and what to do, from what it said. */
export function explainFailure(output: string, env: NodeJS.ProcessEnv = {}): string {
  const reason = reasons.find(([pattern]) => pattern.test(output))?.[1];
  if (reason === unreachable) {
    const proxied = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => (env[name] ?? '') !== '');
    return proxied ? behindProxy : unreachable;
  }
  if (reason !== undefined) {
    return reason === '' ? unknownPackage(output) : reason;
  }
  const said = output.split('\n').filter((line) => /^ERROR:/.test(line)).pop()?.replace(/^ERROR:\s*/, '');
  const reported = said === undefined ? '' : `: ${said}`;
  return `pip could not install what Osiris needs${reported}. Osiris: Doctor shows all it said.`;
}

function unknownPackage(output: string): string {
  const missing = /No matching distribution found for (\S+)/.exec(output)?.[1] ?? 'a package';
  return `No package index or wheel folder that pip may use has ${missing} for this Python. ${offline}`;
}
