/** Takes out of a text what must not be shown or pasted: passwords, tokens, names of accounts, the home folder. */

const hidden = '***';

/** Names behind which a secret stands, as parts of a longer name. */
const secretName = '(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|credential|authorization)';

const rules: [RegExp, string][] = [
  // Who is in front of the host of an address: a user name, and often a password or a token.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#'"<>]*@/gi, `$1${hidden}@`],
  // A proxy without a scheme: user:password@host:3128.
  [/(^|[\s='"])[^\s:/@='"]+:[^\s/@'"]+@(?=[\w.-]+(?::\d+)?(?:[\s/'"]|$))/gm, `$1${hidden}@`],
  [new RegExp(`([?&][\\w-]*${secretName}[\\w-]*=)[^&#\\s'"]+`, 'gi'), `$1${hidden}`],
  [/\b(authorization\s*[:=]\s*)(?:(?:bearer|basic|token)\s+)?[^\s'"]+/gi, `$1${hidden}`],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${hidden}`],
  [new RegExp(`((?:^|[\\s{,;'"])[\\w.-]*${secretName}[\\w.-]*['"]?\\s*[:=]\\s*)(?:"[^"\\n]*"|'[^'\\n]*'|[^\\s,;}]+)`, 'gim'), `$1${hidden}`],
  [/\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|pypi-[\w-]{16,}|sk-[\w-]{16,}|xox[abprs]-[\w-]{10,}|A(?:KIA|SIA)[A-Z0-9]{16}|glpat-[\w-]{16,})/g, hidden],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, hidden],
];

/** The text without secrets; `home`, where given, becomes `~`. */
export function masked(text: string, home = ''): string {
  const clean = rules.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
  return home === '' ? clean : shortenHome(clean, home);
}

/** Paths of the home folder as `~/...`, in both ways of writing them on Windows. */
function shortenHome(text: string, home: string): string {
  const root = home.replace(/[\\/]+$/, '');
  if (root === '') {
    return text;
  }
  const spellings = new Set([root, root.replaceAll('\\', '/'), root.replaceAll('\\', '\\\\'), encodeURI(root)]);
  return [...spellings].reduce((rest, spelling) => replaceFolder(rest, spelling), text);
}

function replaceFolder(text: string, folder: string): string {
  const literal = folder.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`${literal}(?=$|[\\\\/\\s'":,;)\\]}\`])`, 'gm'), '~');
}
