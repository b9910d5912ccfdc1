/** Events of a run, as the output panel shows them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSeconds, linesOf, outcomeOf } from '../src/runLines';

function shown(event: Record<string, unknown>): string[] {
  return linesOf(event).map((line) => `${line.level}: ${line.text}`);
}

test('a step that is done tells its rows and seconds', () => {
  const event = { event: 'step_complete', step_id: 'extract-orders', rows: 12345, duration_ms: 421 };
  assert.deepEqual(shown(event), ['info: extract-orders: done, 12,345 rows in 0.42 s']);
});

test('a run elsewhere tells on which machine it is', () => {
  assert.deepEqual(shown({ event: 'remote_start', machine: 'i123' }), ['info: on the machine i123']);
  assert.deepEqual(shown({ event: 'remote_reconnect', machine: 'i123' }), ['info: following the machine i123 again']);
});

test('one row is one row', () => {
  assert.deepEqual(shown({ event: 'step_complete', step_id: 'a', rows: 1 }), ['info: a: done, 1 row']);
});

test('a step that fails tells why, each line of the reason by itself', () => {
  const event = { event: 'step_error', step_id: 'join', error: 'no column "net"\nhint: orders has "gross"' };
  assert.deepEqual(shown(event), ['error: join: failed: no column "net"', 'error: hint: orders has "gross"']);
});

test('a file that was written tells its size', () => {
  const sizes = [0, 999, 15_300, 2_400_000_000].map((bytes) => ({ event: 'artifact_created', step_id: 'w', path: 'out/a.csv', bytes }));
  assert.deepEqual(sizes.flatMap(shown), [
    'info: w: wrote out/a.csv, 0 bytes',
    'info: w: wrote out/a.csv, 999 bytes',
    'info: w: wrote out/a.csv, 15.3 kB',
    'info: w: wrote out/a.csv, 2.4 GB',
  ]);
});

test('progress within a step is for the debug level', () => {
  assert.deepEqual(shown({ event: 'step_progress', step_id: 'join', percent: 45.4 }), ['debug: join: 45 %']);
});

test('a warning within a step is a warning', () => {
  const event = { event: 'step_progress', step_id: 'join', warning: 'amount holds text in row 7' };
  assert.deepEqual(shown(event), ['warn: join: amount holds text in row 7']);
});

test('a skipped step is a warning with its reason', () => {
  const event = { event: 'step_skipped', step_id: 'write', reason: 'join failed' };
  assert.deepEqual(shown(event), ['warn: write: skipped: join failed']);
});

test('an event of a later version is kept as it is, for the debug level', () => {
  assert.deepEqual(shown({ event: 'moon_phase', phase: 3 }), ['debug: {"event":"moon_phase","phase":3}']);
});

test('fields of the wrong type are left out', () => {
  assert.deepEqual(shown({ event: 'step_complete', step_id: 7, rows: 'many' }), ['info: : done']);
});

test('the last event says how the run ended', () => {
  const outcomes = ['step_complete', 'run_complete', 'run_error', 'run_cancelled'].map((event) => outcomeOf({ event }));
  assert.deepEqual(outcomes, [undefined, 'succeeded', 'failed', 'cancelled']);
});

test('seconds have as many digits as they mean', () => {
  assert.deepEqual([0.0042, 0.42, 12.345, 125].map(formatSeconds), ['0.004 s', '0.42 s', '12.3 s', '2 min 5 s']);
});
