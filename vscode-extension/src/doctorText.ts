/** The report of Osiris: Doctor, as Markdown to read and to paste. Knows no secrets, because it masks all it says. */
import { masked } from './masking';

export interface Facts {
  extension: string;
  editor: string;
  system: string;
  home: string;
  trusted: boolean;
  folders: number;
  /** What the server does, or why there is none. */
  state: string;
  server?: { command: string; origin: string; version: string | undefined };
  /** What was passed over while one was looked for. */
  notes: string[];
  environments: { folder: string; version: string; python: string; base: string; extras: string[]; used: boolean }[];
  bundle: string;
  network: { name: string; value: string }[];
  settings: [name: string, value: unknown][];
  /** What the server's own doctor says, or why it could not be asked. */
  doctor: string;
  lastInstall: string | undefined;
}

/** How much of pip's output is worth reading: its end. */
const installLines = 60;

export function doctorText(facts: Facts): string {
  const { server } = facts;
  const sections = [
    '# Osiris: Doctor\n\nThis report holds no passwords or tokens as far as they can be told. Read it before you paste it.',
    list('Editor', [
      `extension: ${facts.extension}`,
      `editor: ${facts.editor}`,
      `system: ${facts.system}`,
      `workspace: ${facts.trusted ? 'trusted' : 'not trusted (Restricted Mode)'}, ${facts.folders} folder${facts.folders === 1 ? '' : 's'}`,
    ]),
    list('Language server', [
      `state: ${facts.state}`,
      ...(server === undefined
        ? []
        : [`version: ${server.version ?? 'unknown'}`, `found by: ${server.origin}`, `command: ${server.command}`]),
      ...facts.notes.map((note) => `note: ${note}`),
    ]),
    list('Managed environment', [
      `wheel: ${facts.bundle}`,
      ...facts.environments.map(describeEnvironment),
      ...(facts.environments.length === 0 ? ['none has been made'] : []),
    ]),
    list('Network', facts.network.map(({ name, value }) => `${name}: ${value}`), 'no proxy and no pip settings'),
    list('Settings that differ from their default', facts.settings.map(([name, value]) => `${name}: ${JSON.stringify(value)}`), 'none'),
    block('What the server says of itself', facts.doctor),
    ...(facts.lastInstall === undefined ? [] : [block('What pip said last', facts.lastInstall.trim().split('\n').slice(-installLines).join('\n'))]),
  ];
  return `${masked(sections.join('\n\n'), facts.home)}\n`;
}

function describeEnvironment({ folder, version, python, base, extras, used }: Facts['environments'][number]): string {
  const added = extras.length === 0 ? 'no extras yet' : `extras: ${extras.join(', ')}`;
  return `${used ? 'in use' : 'there'}: ${folder} (Osiris ${version}, Python ${python} from ${base}, ${added})`;
}

function list(title: string, given: string[], otherwise = 'none'): string {
  const items = given.length === 0 ? [otherwise] : given;
  return `## ${title}\n\n${items.map((item) => `- ${item.replace(/\s*\n\s*/g, ' ')}`).join('\n')}`;
}

function block(title: string, text: string): string {
  return `## ${title}\n\n\`\`\`\`text\n${text.trim()}\n\`\`\`\``;
}
