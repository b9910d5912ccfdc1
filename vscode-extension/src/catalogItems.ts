/** What the tree of connections is made of, as the server tells it, and how it looks. Nothing here imports `vscode`. */

export type CatalogKind = 'connection' | 'schema' | 'table' | 'column';

/** How much is known of a connection; `discovering`: it is being read. */
export type CatalogState = 'unknown' | 'discovering' | 'fresh' | 'old' | 'locked' | 'failed';

/** One line of the tree. Given back to the server as the argument, it asks for what is below it. */
export interface CatalogItem {
  kind: CatalogKind;
  label: string;
  /** What stands beside the label: of a column its type, of a connection how old the knowledge is. */
  detail: string;
  /** Markdown. */
  tooltip: string;
  connection: string;
  /** A file of the project that the connection belongs to. */
  uri?: string;
  schema?: string;
  table?: string;
  state?: CatalogState;
}

/** A line that is no item: what can be done where there is nothing to show. */
export interface Notice {
  kind: 'notice';
  label: string;
  tooltip: string;
  /** The connection that can be discovered, where that helps. */
  of?: CatalogItem;
}

const kinds: readonly string[] = ['connection', 'schema', 'table', 'column'] satisfies CatalogKind[];
const states: readonly string[] = ['unknown', 'discovering', 'fresh', 'old', 'locked', 'failed'] satisfies CatalogState[];

/** The items of an answer of `osiris.catalog`; what has another shape is left out. */
export function itemsOf(answer: unknown): CatalogItem[] {
  const items = isObject(answer) && Array.isArray(answer['items']) ? answer['items'] : [];
  return items.map(itemOf).filter((item) => item !== undefined);
}

function itemOf(value: unknown): CatalogItem | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const { kind, label, connection } = value;
  if (typeof kind !== 'string' || !kinds.includes(kind) || typeof label !== 'string' || typeof connection !== 'string') {
    return undefined;
  }
  const item: CatalogItem = {
    kind: kind as CatalogKind,
    label,
    detail: text(value['detail']) ?? '',
    tooltip: text(value['tooltip']) ?? '',
    connection,
  };
  for (const key of ['uri', 'schema', 'table'] as const) {
    const said = text(value[key]);
    if (said !== undefined) {
      item[key] = said;
    }
  }
  if (kind === 'connection') {
    const state = text(value['state']) ?? '';
    item.state = (states.includes(state) ? state : 'unknown') as CatalogState;
  }
  return item;
}

/** What asks the server for the lines below an item. */
export function argumentFor({ uri, connection, schema, table }: CatalogItem): object {
  return { uri, connection, schema, table };
}

/** Tells a line from all others, also after it was asked for again, so that what is open stays open. */
export function idOf({ kind, uri, connection, schema, table, label }: CatalogItem): string {
  return JSON.stringify([kind, uri ?? '', connection, schema ?? '', table ?? '', label]);
}

/** The name of the icon and the colour of the theme it has. */
export function iconOf(item: CatalogItem): { icon: string; color?: string } {
  switch (item.kind) {
    case 'connection':
      return connectionIcons[item.state ?? 'unknown'];
    case 'schema':
      return { icon: 'symbol-namespace' };
    case 'table':
      return { icon: /^(materialized )?view\b/i.test(item.detail) ? 'eye' : 'table' };
    case 'column':
      return { icon: /\bprimary key\b/.test(item.detail) ? 'key' : 'symbol-field' };
  }
}

const connectionIcons: Record<CatalogState, { icon: string; color?: string }> = {
  unknown: { icon: 'debug-disconnect' },
  discovering: { icon: 'loading~spin' },
  fresh: { icon: 'database', color: 'charts.green' },
  old: { icon: 'history', color: 'charts.yellow' },
  locked: { icon: 'lock' },
  failed: { icon: 'error', color: 'list.errorForeground' },
};

/** What stands below an item that has nothing below it. */
export function noticeBelow(item: CatalogItem, trusted: boolean): Notice {
  const notice = (label: string, tooltip: string, of?: CatalogItem): Notice => ({ kind: 'notice', label, tooltip, ...(of && { of }) });
  if (item.kind !== 'connection') {
    return notice(item.kind === 'table' ? 'no columns are known' : 'no tables are known', '');
  }
  if (item.state === 'discovering') {
    return notice('being read …', '');
  }
  if (!trusted) {
    return notice('discovery is off in Restricted Mode', 'Trust this workspace to read the tables of its connections.');
  }
  switch (item.state) {
    case 'failed':
      return notice('try again', item.tooltip, item);
    case 'unknown':
      return notice('discover its tables', 'Connects and reads the names and types of tables and columns, and no data.', item);
    default:
      return notice('no tables', item.tooltip);
  }
}

/** Connections that were read before, or have been tried: those that a refresh reads anew. */
export function wereRead(connections: CatalogItem[]): CatalogItem[] {
  return connections.filter(({ state }) => state !== undefined && state !== 'unknown' && state !== 'discovering');
}

/** The connections of each project: one call of the server's discovery does one project. */
export function byProject(connections: CatalogItem[]): { uri?: string; connections: string[] }[] {
  const groups = new Map<string | undefined, string[]>();
  for (const { uri, connection } of connections) {
    groups.set(uri, [...(groups.get(uri) ?? []), connection]);
  }
  return [...groups].map(([uri, names]) => ({ ...(uri === undefined ? {} : { uri }), connections: names }));
}

/** Labels that stand there twice, as two projects may have a connection of the same name. */
export function ambiguous(items: CatalogItem[]): Set<string> {
  const labels = items.map(({ label }) => label);
  return new Set(labels.filter((label, index) => labels.indexOf(label) !== index));
}

/** The connections that were read; the server tells of failures itself. `text`: `@mysql.shop: 3 tables, 12 columns`. */
export function readingsOf(answer: unknown): { connection: string; text: string }[] {
  const results = Array.isArray(answer) ? answer.filter(isObject) : [];
  return results
    .filter(({ ok, connection }) => ok === true && typeof connection === 'string')
    .map(({ connection, tables, columns }) => {
      const name = String(connection);
      return { connection: name, text: `${name}: ${count(tables, 'table')}, ${count(columns, 'column')}` };
    });
}

function count(value: unknown, unit: string): string {
  const amount = typeof value === 'number' ? value : 0;
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
