/** The life of the server: every event in every state, and that there is never more than one server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashWindowMs, type Event, Lifecycle, type Machine, type Ports, restsMs, type State, step } from '../src/lifecycle';
import { Problem } from '../src/problem';

const broken = new Problem('It is broken.');

const states: Record<string, State<string>> = {
  'stopped': { name: 'stopped' },
  'preparing': { name: 'preparing', then: 'start' },
  'preparing, then again': { name: 'preparing', then: 'again' },
  'preparing, then stop': { name: 'preparing', then: 'stop' },
  'starting': { name: 'starting', server: 'a' },
  'running': { name: 'running', server: 'a' },
  'stopping': { name: 'stopping', then: 'stop' },
  'stopping, then start': { name: 'stopping', then: 'start' },
  'waiting': { name: 'waiting' },
  'failed': { name: 'failed', problem: broken },
};

const events: Record<Event<string>['name'], Event<string>> = {
  needed: { name: 'needed' },
  restart: { name: 'restart' },
  changed: { name: 'changed' },
  settled: { name: 'settled' },
  stop: { name: 'stop' },
  prepared: { name: 'prepared', server: 'b' },
  notPrepared: { name: 'notPrepared', problem: broken },
  started: { name: 'started' },
  notStarted: { name: 'notStarted', problem: broken },
  ended: { name: 'ended', how: 'exit code 1' },
  halted: { name: 'halted' },
  rested: { name: 'rested' },
};

/** What comes of an event: the state after it, and behind `!` what is done. `-`: nothing changes, nothing is done. */
const table: Record<string, Record<Event<string>['name'], string>> = {
  'stopped': {
    needed: 'preparing ! prepare', restart: 'preparing ! prepare', changed: '-', settled: '-', stop: '-',
    prepared: '-', notPrepared: '-', started: '-', notStarted: '-', ended: '-', halted: '-', rested: '-',
  },
  'preparing': {
    needed: '-', restart: 'preparing, then again ! abortPreparing', changed: '- ! settle', settled: 'preparing, then again ! abortPreparing', stop: 'preparing, then stop ! abortPreparing',
    prepared: 'starting ! launch', notPrepared: 'failed', started: '-', notStarted: '-', ended: '-', halted: '-', rested: '-',
  },
  'preparing, then again': {
    needed: '-', restart: 'preparing, then again ! abortPreparing', changed: '- ! settle', settled: 'preparing, then again ! abortPreparing', stop: 'preparing, then stop ! abortPreparing',
    prepared: 'preparing ! prepare', notPrepared: 'preparing ! prepare', started: '-', notStarted: '-', ended: '-', halted: '-', rested: '-',
  },
  'preparing, then stop': {
    needed: 'preparing, then again', restart: 'preparing, then again ! abortPreparing', changed: '- ! settle', settled: '-', stop: 'preparing, then stop ! abortPreparing',
    prepared: 'stopped', notPrepared: 'stopped', started: '-', notStarted: '-', ended: '-', halted: '-', rested: '-',
  },
  'starting': {
    needed: '-', restart: 'stopping, then start ! halt', changed: '- ! settle', settled: 'stopping, then start ! halt', stop: 'stopping ! halt',
    prepared: '-', notPrepared: '-', started: 'running', notStarted: 'failed', ended: '-', halted: '-', rested: '-',
  },
  'running': {
    needed: '-', restart: 'stopping, then start ! halt', changed: '- ! settle', settled: 'stopping, then start ! halt', stop: 'stopping ! halt',
    prepared: '-', notPrepared: '-', started: '-', notStarted: '-', ended: 'waiting ! rest', halted: '-', rested: '-',
  },
  'stopping': {
    needed: 'stopping, then start', restart: 'stopping, then start', changed: '- ! settle', settled: '-', stop: 'stopping',
    prepared: '-', notPrepared: '-', started: '-', notStarted: '-', ended: '-', halted: 'stopped', rested: '-',
  },
  'stopping, then start': {
    needed: 'stopping, then start', restart: 'stopping, then start', changed: '- ! settle', settled: 'stopping, then start', stop: 'stopping',
    prepared: '-', notPrepared: '-', started: '-', notStarted: '-', ended: '-', halted: 'preparing ! prepare', rested: '-',
  },
  'waiting': {
    needed: '-', restart: 'preparing ! noRest, prepare', changed: '- ! settle', settled: 'preparing ! noRest, prepare', stop: 'stopped ! noRest',
    prepared: '-', notPrepared: '-', started: '-', notStarted: '-', ended: '-', halted: '-', rested: 'preparing ! prepare',
  },
  'failed': {
    needed: '-', restart: 'preparing ! prepare', changed: '- ! settle', settled: 'preparing ! prepare', stop: 'stopped',
    prepared: '-', notPrepared: '-', started: '-', notStarted: '-', ended: '-', halted: '-', rested: '-',
  },
};

function described(before: Machine<string>, event: Event<string>): string {
  const { machine, effects } = step(before, event, 0);
  const after = Object.keys(states).find((name) => JSON.stringify(describe(states[name] as State<string>)) === JSON.stringify(describe(machine.state)));
  const done = effects.length === 0 ? '' : ` ! ${effects.map(({ name }) => name).join(', ')}`;
  return `${machine.state === before.state ? '-' : after}${done}`;
}

function describe(state: State<string>): unknown {
  return 'then' in state ? [state.name, state.then] : [state.name];
}

for (const [name, row] of Object.entries(table)) {
  for (const [event, expected] of Object.entries(row)) {
    test(`${name}, ${event}: ${expected}`, () => {
      const state = states[name] as State<string>;
      assert.equal(described({ state, crashes: [] }, events[event as Event<string>['name']]), expected);
    });
  }
}

test('a server that keeps ending is started again after longer and longer rests, then no more', () => {
  let machine: Machine<string> = { state: { name: 'running', server: 'a' }, crashes: [] };
  const rests: number[] = [];
  for (let crash = 0; crash < restsMs.length; crash += 1) {
    const after = step(machine, { name: 'ended', how: 'signal SIGKILL' }, crash * 1000);
    rests.push(...after.effects.map((effect) => (effect.name === 'rest' ? effect.ms : -1)));
    machine = { state: { name: 'running', server: 'a' }, crashes: after.machine.crashes };
  }
  assert.deepEqual(rests, restsMs);
  const last = step(machine, { name: 'ended', how: 'signal SIGKILL' }, 5000).machine.state;
  assert.equal(
    last.name === 'failed' && last.problem.message,
    'The Osiris language server ended 5 times within 3 minutes (signal SIGKILL), so it is not started again by itself.',
  );
});

test('ends that are long ago do not count, and a restart by hand forgets them all', () => {
  const crashes = [0, 1, 2, 3];
  const running: State<string> = { name: 'running', server: 'a' };
  assert.deepEqual(step({ state: running, crashes }, events.ended, crashWindowMs + 10).machine.crashes, [crashWindowMs + 10]);
  assert.deepEqual(step({ state: running, crashes }, events.restart, 5).machine.crashes, []);
});

/** Servers and time of a test: how many servers live, and what is to happen later. */
class World implements Ports<string> {
  alive = 0;
  most = 0;
  prepared = 0;
  readonly shown: string[] = [];
  private timers: (() => void)[] = [];
  private pending: (() => void)[] = [];
  private end: ((how: string) => void) | undefined;
  private stopStart: (() => void) | undefined;

  prepare(signal: AbortSignal): Promise<string> {
    this.prepared += 1;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Problem('aborted')));
      this.pending.push(() => resolve('a'));
    });
  }

  launch(_server: string, ended: (how: string) => void): Promise<void> {
    this.alive += 1;
    this.most = Math.max(this.most, this.alive);
    this.end = ended;
    return new Promise((resolve, reject) => {
      this.stopStart = () => reject(new Error('halted'));
      this.pending.push(resolve);
    });
  }

  async halt(): Promise<void> {
    this.alive = 0;
    this.end = undefined;
    this.stopStart?.();
    await turn();
  }

  later(_ms: number, work: () => void): () => void {
    this.timers.push(work);
    return () => void (this.timers = this.timers.filter((timer) => timer !== work));
  }

  now(): number {
    return 0;
  }

  show(state: State<string>): void {
    this.shown.push(state.name);
  }

  crash(): void {
    const end = this.end;
    this.end = undefined;
    if (end !== undefined && this.pending.length === 0) {
      this.alive -= 1;
      end('exit code 1');
    }
  }

  /** Lets what is under way come to its end. */
  finish(): void {
    this.pending.splice(0).forEach((work) => work());
  }

  ring(): void {
    this.timers.splice(0).forEach((work) => work());
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function toTheEnd(world: World): Promise<void> {
  for (let round = 0; round < 12; round += 1) {
    world.finish();
    await turn();
    world.ring();
    await turn();
  }
}

test('a document starts the server, and a second one does not start another', async () => {
  const world = new World();
  const life = new Lifecycle(world);
  life.send(events.needed);
  life.send(events.needed);
  await toTheEnd(world);
  life.send(events.needed);
  await toTheEnd(world);
  assert.deepEqual(world.shown, ['preparing', 'starting', 'running']);
  assert.equal(world.most, 1);
});

test('many changes at once restart the server once', async () => {
  const world = new World();
  const life = new Lifecycle(world);
  life.send(events.needed);
  await toTheEnd(world);
  for (let change = 0; change < 5; change += 1) {
    life.send(events.changed);
  }
  await toTheEnd(world);
  assert.deepEqual(world.shown, ['preparing', 'starting', 'running', 'stopping', 'preparing', 'starting', 'running']);
  assert.equal(world.prepared, 2);
});

test('who waits for the server gets it, or learns that there is none', async () => {
  const world = new World();
  const life = new Lifecycle(world);
  life.send(events.needed);
  const waiting = life.settled();
  await toTheEnd(world);
  assert.equal(await waiting, 'a');
  life.send(events.stop);
  await toTheEnd(world);
  assert.equal(await life.settled(), undefined);
});

test('whatever happens in whatever order, there is at most one server, and after the stop none', async () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let story = 0; story < 300; story += 1) {
    const world = new World();
    const life = new Lifecycle(world);
    const acts: (() => unknown)[] = [
      () => life.send(events.needed),
      () => life.send(events.restart),
      () => life.send(events.changed),
      () => life.send(events.stop),
      () => world.finish(),
      () => world.ring(),
      () => world.crash(),
      turn,
    ];
    for (let act = 0; act < 40; act += 1) {
      await acts[random(acts.length)]?.();
      assert.ok(world.alive <= 1, `two servers in story ${story}`);
    }
    life.send(events.stop);
    await toTheEnd(world);
    assert.equal(life.state.name, 'stopped', `story ${story}: ${world.shown}`);
    assert.equal(world.alive, 0, `a server was left behind in story ${story}`);
    life.send(events.needed);
    await toTheEnd(world);
    assert.equal(life.state.name, 'running', `story ${story} could not be begun again`);
  }
});
