/** The tree of connections: what is made of the server's answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ambiguous, argumentFor, byProject, type CatalogItem, type CatalogState, iconOf, idOf, itemsOf, noticeBelow, readingsOf, wereRead,
} from '../src/catalogItems';

const shop: CatalogItem = {
  kind: 'connection', label: '@mysql.shop', detail: '3 hours ago', tooltip: '', connection: '@mysql.shop', uri: 'file:///shop/a', state: 'fresh',
};
const column: CatalogItem = {
  kind: 'column', label: 'id', detail: 'int(11) not null · primary key', tooltip: '', connection: '@mysql.shop', schema: 'shop', table: 'orders',
};
const withState = (state: CatalogState): CatalogItem => ({ ...shop, state });

test('an answer of the server becomes items', () => {
  const answer = {
    items: [
      { kind: 'connection', label: '@mysql.shop', detail: '3 hours ago', tooltip: '', connection: '@mysql.shop', uri: 'file:///shop/a', state: 'fresh', age: '3 hours ago', leaf: false },
      { kind: 'column', label: 'id', detail: 'int(11) not null · primary key', tooltip: '', connection: '@mysql.shop', schema: 'shop', table: 'orders', leaf: true },
    ],
  };
  assert.deepEqual(itemsOf(answer), [shop, column]);
});

test('what is no item is left out, whatever it is', () => {
  for (const answer of [undefined, null, 3, [], {}, { items: 'none' }, { items: [null, 1, {}, { kind: 'table', label: 1 }] }]) {
    assert.deepEqual(itemsOf(answer), []);
  }
});

test('a state that this version does not know counts as nothing known', () => {
  const answer = { items: [{ kind: 'connection', label: '@a.b', connection: '@a.b', state: 'new in the next version', detail: null }] };
  assert.equal(itemsOf(answer)[0]?.state, 'unknown');
});

test('an item asks for what is below it', () => {
  assert.deepEqual(argumentFor(column), { uri: undefined, connection: '@mysql.shop', schema: 'shop', table: 'orders' });
});

test('an item keeps its id when its age changes, and shares it with no other', () => {
  assert.equal(idOf(shop), idOf({ ...shop, detail: '4 hours ago', state: 'old' }));
  const others: CatalogItem[] = [{ ...shop, uri: 'file:///other/a' }, column, { ...column, label: 'day' }, { ...column, table: 'refunds' }];
  assert.equal(new Set([shop, ...others].map(idOf)).size, 5);
});

test('each state of a connection has an icon of its own', () => {
  const states: CatalogState[] = ['unknown', 'discovering', 'fresh', 'old', 'locked', 'failed'];
  assert.equal(new Set(states.map((state) => iconOf(withState(state)).icon)).size, states.length);
});

const icons: [string, Partial<CatalogItem>, string][] = [
  ['a schema', { kind: 'schema', detail: '3 tables' }, 'symbol-namespace'],
  ['a table', { kind: 'table', detail: 'table · a view of the world' }, 'table'],
  ['a view', { kind: 'table', detail: 'view' }, 'eye'],
  ['a materialized view', { kind: 'table', detail: 'materialized view · sums' }, 'eye'],
  ['a column', { detail: 'int(11)' }, 'symbol-field'],
  ['a column of the primary key', {}, 'key'],
];

for (const [what, changes, icon] of icons) {
  test(`${what} looks like one`, () => assert.equal(iconOf({ ...column, ...changes }).icon, icon));
}

const notices: [state: CatalogState, trusted: boolean, label: string, discovers: boolean][] = [
  ['unknown', true, 'discover its tables', true],
  ['unknown', false, 'discovery is off in Restricted Mode', false],
  ['failed', true, 'try again', true],
  ['discovering', true, 'being read …', false],
  ['fresh', true, 'no tables', false],
];

for (const [state, trusted, label, discovers] of notices) {
  test(`below a connection that is ${state}${trusted ? '' : ', in Restricted Mode,'} stands: ${label}`, () => {
    const notice = noticeBelow(withState(state), trusted);
    assert.deepEqual([notice.label, notice.of !== undefined], [label, discovers]);
  });
}

test('a refresh reads what was read before', () => {
  const states: CatalogState[] = ['unknown', 'discovering', 'fresh', 'old', 'locked', 'failed'];
  assert.deepEqual(wereRead(states.map(withState)).map(({ state }) => state), ['fresh', 'old', 'locked', 'failed']);
});

test('connections are read project by project', () => {
  const other = { ...shop, connection: '@sqlite.local', uri: 'file:///other/a' };
  const crm = { ...shop, connection: '@mysql.crm' };
  assert.deepEqual(byProject([shop, other, crm]), [
    { uri: 'file:///shop/a', connections: ['@mysql.shop', '@mysql.crm'] },
    { uri: 'file:///other/a', connections: ['@sqlite.local'] },
  ]);
});

test('two connections of one name are told apart', () => {
  assert.deepEqual([...ambiguous([shop, { ...shop, uri: 'file:///other/a' }, column])], ['@mysql.shop']);
});

test('what was read is said; failures are the server\'s to tell', () => {
  const answer = [
    { connection: '@mysql.shop', ok: true, tables: 1, columns: 12 },
    { connection: '@mysql.crm', ok: false, error: { message: 'refused' } },
  ];
  assert.deepEqual(readingsOf(answer), [{ connection: '@mysql.shop', text: '@mysql.shop: 1 table, 12 columns' }]);
  assert.deepEqual(readingsOf(undefined), []);
});
