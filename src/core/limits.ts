import { optionInvalid, requireInteger, requireMs } from './errors.ts';
import { isTerminal, type JobMove, type JobState } from './job-state.ts';
import { knownNames, requireOptions } from './options.ts';

/**
 * Limits of a queue. They hold over all workers of all machines, because the store applies them when it gives jobs
 * out: a job counts as running from its claim until it is settled, prefetch included.
 *
 * Jobs may carry a key (a tenant, an account, a document). Jobs of one key are let into the line a few at a time
 * (`perKey.concurrency`, or KEY_WINDOW without a limit); the others are held back until one of them leaves. Each
 * that is let in goes to the end of the line, so keys take turns, however many jobs one of them has.
 */
export interface QueueLimits {
  /** Jobs of the queue that run at a time; null = no limit. */
  readonly concurrency: number | null;
  /** Jobs of the queue that may start in any span of time; null = no limit. */
  readonly rate: Rate | null;
  readonly perKey: KeyLimits;
}

export interface KeyLimits {
  /** Jobs of one key that run at a time; null = no limit. */
  readonly concurrency: number | null;
  /** Strict order within a key: one at a time, in the order of enqueue, a failed one retried before the next starts. */
  readonly ordered: boolean;
  /** Jobs of one key that may start in any span of time; null = no limit. */
  readonly rate: Rate | null;
}

/** At most `count` starts in any `perMs` milliseconds: a sliding window, so never twice `count` around a boundary. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

export const LIMITS_NONE: QueueLimits = {
  concurrency: null,
  rate: null,
  perKey: { concurrency: null, ordered: false, rate: null },
};

/** Jobs of one key in the line at a time when nothing limits them: large enough to keep workers busy, small enough to take turns. */
export const KEY_WINDOW = 10;

/** How many jobs of one key may be in the line, running ones included. */
export function keyWindow(limits: QueueLimits): number {
  return limits.perKey.ordered ? 1 : (limits.perKey.concurrency ?? KEY_WINDOW);
}

/**
 * Whether a job in the line of its key stays there when `move` takes it to `state`. Where keys are in order, one that
 * waits for its retry keeps the others behind it. One that was given another time lets them pass, by whatever limit.
 */
export function staysInLine(move: JobMove, state: JobState, limits: QueueLimits): boolean {
  if (isTerminal(state)) return false;
  if (state !== 'scheduled') return true;
  return limits.perKey.ordered && (move === 'retry' || move === 'snooze');
}

const QUEUE_LIMITS = knownNames<QueueLimits>({ concurrency: true, rate: true, perKey: true });
const KEY_LIMITS = knownNames<KeyLimits>({ concurrency: true, ordered: true, rate: true });
const RATE = knownNames<Rate>({ count: true, perMs: true });

/** The limits after a change. Throws OPTION_INVALID. */
export function changeLimits(before: QueueLimits, change: LimitsChange): QueueLimits {
  requireOptions('limits', change, QUEUE_LIMITS);
  if (change.perKey !== undefined) requireOptions('limits.perKey', change.perKey, KEY_LIMITS);
  const perKey = { ...before.perKey, ...given(change.perKey) };
  const limits = { ...before, ...given(change), perKey };
  if (limits.concurrency !== null) requireInteger('limits.concurrency', limits.concurrency, 1);
  if (limits.rate !== null) requireRate('limits.rate', limits.rate);
  if (perKey.concurrency !== null) requireInteger('limits.perKey.concurrency', perKey.concurrency, 1);
  if (typeof perKey.ordered !== 'boolean')
    throw optionInvalid('limits.perKey.ordered', perKey.ordered, 'true or false');
  if (perKey.ordered && (perKey.concurrency ?? 1) !== 1) {
    throw optionInvalid(
      'limits.perKey.concurrency',
      perKey.concurrency,
      '1 or null, since ordered keys run one job at a time',
    );
  }
  if (perKey.rate !== null) requireRate('limits.perKey.rate', perKey.rate);
  return limits;
}

export interface LimitsChange extends Partial<Omit<QueueLimits, 'perKey'>> {
  readonly perKey?: Partial<KeyLimits>;
}

/** Without what is `undefined`, which changes nothing. */
function given<Change extends object>(change: Change | undefined): Partial<Change> {
  const entries = Object.entries(change ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Change>;
}

function requireRate(field: string, rate: Rate): void {
  requireOptions(field, rate, RATE);
  requireInteger(`${field}.count`, rate.count, 1);
  if (requireMs(`${field}.perMs`, rate.perMs) < 1)
    throw optionInvalid(`${field}.perMs`, rate.perMs, 'at least 1 millisecond');
}

/** Starts within the window, oldest first: how many at which time. Never longer than the rate's count. */
export type StartLog = readonly (readonly [at: number, starts: number])[];

/** How many may start now, and, when none may, when the next one may. */
export function rateRoom(
  log: StartLog,
  rate: Rate,
  now: number,
): { readonly room: number; readonly nextAt: number } {
  const recent = withinWindow(log, rate, now);
  const used = recent.reduce((sum, [, starts]) => sum + starts, 0);
  const room = Math.max(0, rate.count - used);
  if (room > 0) return { room, nextAt: now };
  // The window frees up when enough of the oldest starts leave it.
  let over = used - rate.count;
  for (const [at, starts] of recent) {
    over -= starts;
    if (over < 0) return { room: 0, nextAt: at + rate.perMs };
  }
  return { room: 0, nextAt: now + rate.perMs };
}

/** The log after `starts` more at `now`; what left the window is dropped. */
export function rateTake(log: StartLog, rate: Rate, now: number, starts: number): StartLog {
  return [...withinWindow(log, rate, now), [now, starts]];
}

/** A clock that stepped back must not open the window: starts "in the future" count as well. */
function withinWindow(log: StartLog, rate: Rate, now: number): StartLog {
  return log.filter(([at]) => at > now - rate.perMs);
}
