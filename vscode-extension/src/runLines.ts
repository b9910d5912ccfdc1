/** Turns the events of a run into lines for people. */

export type Level = 'info' | 'warn' | 'error' | 'debug';

export interface Line {
  level: Level;
  text: string;
}

export type RunEvent = Record<string, unknown>;

export type Outcome = 'succeeded' | 'failed' | 'cancelled';

/** How the run ended, if this event ends it. */
export function outcomeOf(event: RunEvent): Outcome | undefined {
  switch (event['event']) {
    case 'run_complete':
      return event['status'] === 'failed' ? 'failed' : 'succeeded';
    case 'run_error':
      return 'failed';
    case 'run_cancelled':
      return 'cancelled';
    default:
      return undefined;
  }
}

/** The lines to show for an event; several only where a message has line ends of its own. */
export function linesOf(event: RunEvent): Line[] {
  const step = text(event, 'step_id');
  switch (event['event']) {
    case 'run_queued':
      return [info(text(event, 'waits_for') ? `run queued behind ${text(event, 'waits_for')}` : 'run queued')];
    case 'run_start':
      return [info(`run started${amount(event, 'steps', 'step')}`)];
    case 'remote_start':
      return [info(`on the machine ${text(event, 'machine')}`)];
    case 'remote_reconnect':
      return [info(`following the machine ${text(event, 'machine')} again`)];
    case 'step_start':
      return [info(`${step}: started${component(event)}`)];
    case 'step_progress':
      if (text(event, 'warning')) return blocks('warn', `${step}: ${text(event, 'warning')}`);
      return [{ level: 'debug', text: `${step}: ${percentOf(event) ?? 'under way'}${facts(event)}` }];
    case 'step_complete':
      return [info(`${step}: done${facts(event)}`)];
    case 'step_skipped':
      return [warn(`${step}: skipped${because(event)}`)];
    case 'step_retry':
      return blocks('warn', `${step}: trying again${attempt(event)}${because(event)}`);
    case 'step_error':
      return blocks('error', `${step}: failed${because(event)}`);
    case 'artifact_created':
      return [info(`${step === '' ? '' : `${step}: `}wrote ${text(event, 'path') || text(event, 'name')}${facts(event)}${size(event)}`)];
    case 'run_complete':
      return [outcomeOf(event) === 'failed' ? error(`run failed${facts(event)}`) : info(`run succeeded${facts(event)}`)];
    case 'run_error':
      return blocks('error', `run failed${facts(event)}${because(event)}`);
    case 'run_cancelled':
      return [warn(`run cancelled${facts(event)}`)];
    default:
      return [{ level: 'debug', text: JSON.stringify(event) }];
  }
}

function info(line: string): Line {
  return { level: 'info', text: line };
}

function warn(line: string): Line {
  return { level: 'warn', text: line };
}

function error(line: string): Line {
  return { level: 'error', text: line };
}

function blocks(level: Level, message: string): Line[] {
  return message.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '').map((line) => ({ level, text: line }));
}

function text(event: RunEvent, key: string): string {
  const value = event[key];
  return typeof value === 'string' ? value : '';
}

function number(event: RunEvent, ...keys: string[]): number | undefined {
  for (const key of keys) {
    const value = event[key];
    if (typeof value === 'number' && Number.isFinite(value)) {
      return value;
    }
  }
  return undefined;
}

function facts(event: RunEvent): string {
  const seconds = number(event, 'seconds', 'duration') ?? thousandth(number(event, 'duration_ms'));
  const parts = [amount(event, 'rows', 'row'), seconds === undefined ? '' : ` in ${formatSeconds(seconds)}`];
  return parts.join('');
}

function thousandth(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / 1000;
}

function amount(event: RunEvent, key: string, unit: string): string {
  const value = number(event, key);
  return value === undefined ? '' : `, ${value.toLocaleString('en-US')} ${unit}${value === 1 ? '' : 's'}`;
}

/** How far a step is, where it knows. */
export function percentOf(event: RunEvent): string | undefined {
  const percent = number(event, 'percent');
  return percent === undefined ? undefined : `${Math.round(percent)} %`;
}

function size(event: RunEvent): string {
  const bytes = number(event, 'bytes');
  if (bytes === undefined) {
    return '';
  }
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `, ${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

function component(event: RunEvent): string {
  const name = text(event, 'component');
  return name === '' ? '' : ` (${name})`;
}

function attempt(event: RunEvent): string {
  const value = number(event, 'attempt');
  return value === undefined ? '' : `, attempt ${value}`;
}

function because(event: RunEvent): string {
  const reason = text(event, 'message') || text(event, 'error') || text(event, 'reason');
  return reason === '' ? '' : `: ${reason}`;
}

/** Seconds as people read them: `0.004 s`, `0.42 s`, `12.3 s`, `2 min 5 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds >= 60) {
    const whole = Math.round(seconds);
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  const digits = seconds >= 10 ? 1 : seconds >= 0.01 ? 2 : 3;
  return `${seconds.toFixed(digits)} s`;
}
