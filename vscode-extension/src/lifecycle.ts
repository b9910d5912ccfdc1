/**
 * The life of the language server as one state machine: what is the case, what happens, and what is to be done then.
 *
 * `step` decides and does nothing itself; `Lifecycle` does what it decides, one thing after the other, so that there are
 * never two servers and none is left behind. Nothing here imports `vscode`.
 */
import { Problem } from './problem';

export type State<S> =
  | { name: 'stopped' }
  /** A server is looked for, or its environment made. `then`: what to do with it, or instead. */
  | { name: 'preparing'; then: 'start' | 'again' | 'stop' }
  | { name: 'starting'; server: S }
  | { name: 'running'; server: S }
  | { name: 'stopping'; then: 'start' | 'stop' }
  /** It ended by itself, and is started again in a moment. */
  | { name: 'waiting' }
  | { name: 'failed'; problem: Problem };

export type StateName = State<unknown>['name'];

export type Event<S> =
  /** A document or a command needs a server. One that failed stays so: only what may have mended it tries again. */
  | { name: 'needed' }
  /** The user asks for a new start. */
  | { name: 'restart' }
  /** A setting, an interpreter, trust or the folders changed; several of these often come together. */
  | { name: 'changed' }
  | { name: 'settled' }
  | { name: 'stop' }
  | { name: 'prepared'; server: S }
  | { name: 'notPrepared'; problem: Problem }
  | { name: 'started' }
  | { name: 'notStarted'; problem: Problem }
  | { name: 'ended'; how: string }
  | { name: 'halted' }
  | { name: 'rested' };

export type Effect<S> =
  | { name: 'prepare' }
  | { name: 'abortPreparing' }
  | { name: 'launch'; server: S }
  | { name: 'halt' }
  /** Send `settled` after a while in which nothing else changed. */
  | { name: 'settle' }
  /** Send `rested` after `ms`. */
  | { name: 'rest'; ms: number }
  | { name: 'noRest' };

export interface Machine<S> {
  state: State<S>;
  /** When the server ended by itself, in milliseconds; what is older than `crashWindowMs` is forgotten. */
  crashes: number[];
}

export const crashWindowMs = 180_000;
/** How long to wait before it is started again; one more end within the window, and it stays down. */
export const restsMs = [200, 1_000, 4_000, 10_000];
export const settleMs = 400;

export const asleep: Machine<never> = { state: { name: 'stopped' }, crashes: [] };

type Step<S> = { machine: Machine<S>; effects: Effect<S>[] };

/** What comes of an event. */
export function step<S>(machine: Machine<S>, event: Event<S>, now: number): Step<S> {
  const { state, crashes } = machine;
  const to = (next: State<S>, ...effects: Effect<S>[]): Step<S> => ({ machine: { state: next, crashes }, effects });
  const stay = (): Step<S> => ({ machine, effects: [] });
  const afresh = ({ machine: next, effects }: Step<S>): Step<S> => ({ machine: { ...next, crashes: [] }, effects });

  switch (event.name) {
    case 'needed':
      return need(state, to, stay);
    case 'restart':
      return afresh(renew(state, to));
    case 'changed':
      return { machine, effects: state.name === 'stopped' ? [] : [{ name: 'settle' }] };
    case 'settled':
      return state.name === 'stopped' || leaves(state) ? stay() : afresh(renew(state, to));
    case 'stop':
      return end(state, to, stay);
    case 'prepared':
      return state.name !== 'preparing'
        ? stay()
        : afterPreparing(state.then, to, () =>
            to({ name: 'starting', server: event.server }, { name: 'launch', server: event.server }),
          );
    case 'notPrepared':
      return state.name !== 'preparing'
        ? stay()
        : afterPreparing(state.then, to, () => to({ name: 'failed', problem: event.problem }));
    case 'started':
      return state.name === 'starting' ? to({ name: 'running', server: state.server }) : stay();
    case 'notStarted':
      return state.name === 'starting' ? to({ name: 'failed', problem: event.problem }) : stay();
    case 'ended':
      return state.name === 'running' ? crash(crashes, event.how, now) : stay();
    case 'halted':
      return state.name !== 'stopping'
        ? stay()
        : state.then === 'start'
          ? to({ name: 'preparing', then: 'start' }, { name: 'prepare' })
          : to({ name: 'stopped' });
    case 'rested':
      return state.name === 'waiting' ? to({ name: 'preparing', then: 'start' }, { name: 'prepare' }) : stay();
  }
}

type To<S> = (next: State<S>, ...effects: Effect<S>[]) => Step<S>;

function need<S>(state: State<S>, to: To<S>, stay: () => Step<S>): Step<S> {
  switch (state.name) {
    case 'stopped':
      return to({ name: 'preparing', then: 'start' }, { name: 'prepare' });
    case 'preparing':
      // What is being aborted cannot be taken up again.
      return state.then === 'stop' ? to({ name: 'preparing', then: 'again' }) : stay();
    case 'stopping':
      return to({ name: 'stopping', then: 'start' });
    default:
      return stay();
  }
}

function renew<S>(state: State<S>, to: To<S>): Step<S> {
  switch (state.name) {
    case 'stopped':
    case 'failed':
      return to({ name: 'preparing', then: 'start' }, { name: 'prepare' });
    case 'waiting':
      return to({ name: 'preparing', then: 'start' }, { name: 'noRest' }, { name: 'prepare' });
    case 'preparing':
      return to({ name: 'preparing', then: 'again' }, { name: 'abortPreparing' });
    case 'starting':
    case 'running':
      return to({ name: 'stopping', then: 'start' }, { name: 'halt' });
    case 'stopping':
      return to({ name: 'stopping', then: 'start' });
  }
}

function end<S>(state: State<S>, to: To<S>, stay: () => Step<S>): Step<S> {
  switch (state.name) {
    case 'stopped':
      return stay();
    case 'failed':
      return to({ name: 'stopped' });
    case 'waiting':
      return to({ name: 'stopped' }, { name: 'noRest' });
    case 'preparing':
      return to({ name: 'preparing', then: 'stop' }, { name: 'abortPreparing' });
    case 'starting':
    case 'running':
      return to({ name: 'stopping', then: 'stop' }, { name: 'halt' });
    case 'stopping':
      return to({ name: 'stopping', then: 'stop' });
  }
}

/** Whether the server is on its way out for good. */
function leaves<S>(state: State<S>): boolean {
  return (state.name === 'stopping' || state.name === 'preparing') && state.then === 'stop';
}

function afterPreparing<S>(then: 'start' | 'again' | 'stop', to: To<S>, start: () => Step<S>): Step<S> {
  switch (then) {
    case 'start':
      return start();
    case 'again':
      return to({ name: 'preparing', then: 'start' }, { name: 'prepare' });
    case 'stop':
      return to({ name: 'stopped' });
  }
}

function crash<S>(before: number[], how: string, now: number): Step<S> {
  const crashes = [...before.filter((time) => now - time < crashWindowMs), now];
  const rest = restsMs[crashes.length - 1];
  if (rest !== undefined) {
    return { machine: { state: { name: 'waiting' }, crashes }, effects: [{ name: 'rest', ms: rest }] };
  }
  const problem = new Problem(
    `The Osiris language server ended ${crashes.length} times within ${crashWindowMs / 60_000} minutes (${how}), ` +
      'so it is not started again by itself.',
  );
  return { machine: { state: { name: 'failed', problem }, crashes: [] }, effects: [] };
}

/** What the life of a server needs from outside. */
export interface Ports<S> {
  /** Finds or makes the server. Rejects with a Problem; soon, when the signal fires. */
  prepare(signal: AbortSignal): Promise<S>;
  /** Starts it; resolves when it serves. Calls `ended` once when it ends without having been halted. */
  launch(server: S, ended: (how: string) => void): Promise<void>;
  /** Ends what was launched, also while it starts. Resolves when its process is gone; never rejects. */
  halt(): Promise<void>;
  /** Calls `work` after `ms`, unless the function it returns is called before. */
  later(ms: number, work: () => void): () => void;
  now(): number;
  /** Told of every change. */
  show(state: State<S>): void;
}

export class Lifecycle<S> {
  private machine: Machine<S> = asleep;
  private preparing = new AbortController();
  private launched: Promise<void> = Promise.resolve();
  /** Counts launches: what an earlier one reports late is not heard. */
  private generation = 0;
  private cancelSettle: () => void = () => undefined;
  private cancelRest: () => void = () => undefined;
  private watchers = new Set<() => void>();

  constructor(private readonly ports: Ports<S>) {}

  get state(): State<S> {
    return this.machine.state;
  }

  send(event: Event<S>): void {
    const before = this.machine.state;
    const { machine, effects } = step(this.machine, event, this.ports.now());
    this.machine = machine;
    if (machine.state !== before) {
      this.ports.show(machine.state);
    }
    effects.forEach((effect) => this.perform(effect));
    [...this.watchers].forEach((watcher) => watcher());
  }

  /** Resolves once it runs, failed or stopped: to the server, or undefined. */
  async settled(): Promise<S | undefined> {
    return new Promise((resolve) => {
      const look = (): void => {
        const { state } = this.machine;
        if (state.name === 'running' || state.name === 'failed' || state.name === 'stopped') {
          this.watchers.delete(look);
          resolve(state.name === 'running' ? state.server : undefined);
        }
      };
      this.watchers.add(look);
      look();
    });
  }

  private perform(effect: Effect<S>): void {
    switch (effect.name) {
      case 'prepare':
        return void this.prepare();
      case 'abortPreparing':
        return this.preparing.abort();
      case 'launch':
        return void this.launch(effect.server);
      case 'halt':
        return void this.halt();
      case 'settle':
        this.cancelSettle();
        this.cancelSettle = this.ports.later(settleMs, () => this.send({ name: 'settled' }));
        return;
      case 'rest':
        this.cancelRest = this.ports.later(effect.ms, () => this.send({ name: 'rested' }));
        return;
      case 'noRest':
        return this.cancelRest();
    }
  }

  private async prepare(): Promise<void> {
    this.preparing = new AbortController();
    try {
      this.send({ name: 'prepared', server: await this.ports.prepare(this.preparing.signal) });
    } catch (error) {
      this.send({ name: 'notPrepared', problem: asProblem(error) });
    }
  }

  private async launch(server: S): Promise<void> {
    const generation = ++this.generation;
    const report = (event: Event<S>): void => {
      if (generation === this.generation) {
        this.send(event);
      }
    };
    const launching = this.ports.launch(server, (how) => report({ name: 'ended', how }));
    this.launched = launching.catch(() => undefined);
    try {
      await launching;
      report({ name: 'started' });
    } catch (error) {
      report({ name: 'notStarted', problem: asProblem(error) });
    }
  }

  private async halt(): Promise<void> {
    this.generation += 1;
    await this.ports.halt();
    await this.launched;
    this.send({ name: 'halted' });
  }
}

function asProblem(error: unknown): Problem {
  const reason = error instanceof Error ? error.message : String(error);
  return error instanceof Problem ? error : new Problem(`The Osiris language server did not start: ${reason}`);
}
