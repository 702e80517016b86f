import { type ErrorCode, LongshoreError } from '../core/errors.ts';
import { reasonOf } from '../core/legible.ts';
import type { EventBus, Events } from '../telemetry/events.ts';

/** Since when something a worker lives by fails, and how it failed last. */
export interface Trouble {
  /** Ms since the epoch, by this machine's clock. */
  readonly since: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** After one more failure: the first one tells since when, the last one why. */
export function stillInTrouble(before: Trouble | null, error: unknown, now: number): Trouble {
  return {
    since: before?.since ?? now,
    code: error instanceof LongshoreError ? error.code : 'STORE_FAILED',
    message: reasonOf(error),
  };
}

/** True for an outage, or a store that is busy or full. Anything else comes again with the next try, unless somebody acts. */
export function passes(error: unknown): boolean {
  return error instanceof LongshoreError && error.retryable && error.code !== 'STORE_FAILED';
}

/**
 * Tells that a verb failed. Nobody may listen: what does not pass by itself is then said on standard error, since such
 * a worker looks idle.
 */
export function tellFailure(events: EventBus, failure: Events['store.failed']): void {
  events.emit('store.failed', failure);
  if (events.wants('store.failed') || passes(failure.error)) return;
  const { verb, error } = failure;
  const { code, message } = stillInTrouble(null, error, 0);
  const line = `longshore: ${verb} failed: ${message} (${code})`;
  if (isNews(events, verb, line)) process.stderr.write(`${line.replaceAll('\n', ' ')}\n`);
}

/** What was said last of each verb, and when, by `performance.now()`. */
type Lines = Map<string, { readonly line: string; readonly at: number }>;

const said = new WeakMap<EventBus, Lines>();
const SAID_AGAIN_MS = 60_000;

function isNews(events: EventBus, verb: string, line: string): boolean {
  const lines: Lines = said.get(events) ?? new Map();
  said.set(events, lines);
  const [last, at] = [lines.get(verb), performance.now()];
  if (last !== undefined && last.line === line && at - last.at < SAID_AGAIN_MS) return false;
  lines.set(verb, { line, at });
  return true;
}

export interface WorkerHealth {
  readonly id: string;
  /** Its claims, its heartbeats and the outcomes of its jobs are taken by the store. */
  readonly ok: boolean;
  readonly started: boolean;
  /** Handlers that run now. */
  readonly running: number;
  /** Since when it cannot claim, and why; null when it can. */
  readonly claim: Trouble | null;
  /** Since when its heartbeats fail, and why; when that lasts for a lease's time, other workers take its jobs. */
  readonly beat: Trouble | null;
  /** Since when outcomes cannot be written, and why; null when they can. */
  readonly settle: Trouble | null;
}
