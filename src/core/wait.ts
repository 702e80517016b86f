import type { Clock } from './clock.ts';
import { optionInvalid, requireMs } from './errors.ts';
import { adviceFor, knownNames, requireKnown } from './options.ts';

/** Waiting for the end of a job or a run, with a time after which to give up and a signal that ends the wait. */
export interface WaitOptions {
  /** Give up after this long; default: never. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Waiter<End> {
  readonly resolve: (end: End) => void;
  readonly reject: (error: unknown) => void;
}

export interface WaitMeans<End> {
  /** For errors: `the wait for a job`. */
  readonly what: string;
  readonly clock: Clock;
  readonly timedOut: (timeoutMs: number) => Error;
  /** The waiter is told from then on, until it is removed. */
  readonly add: (waiter: Waiter<End>) => void;
  readonly remove: (waiter: Waiter<End>) => void;
}

const WAIT_OPTIONS = knownNames<WaitOptions>({ timeoutMs: true, signal: true });

/** Rejects with OPTION_INVALID, what `timedOut` makes, the signal's reason, or what the waiter is told. */
export async function waitForEnd<End>(options: WaitOptions, means: WaitMeans<End>): Promise<End> {
  requireKnown(means.what, options, WAIT_OPTIONS);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined) requireMs('timeoutMs', timeoutMs);
  if (signal !== undefined) requireSignal(signal);
  return new Promise<End>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const finish = (settle: () => void): void => {
      cancelTimeout?.();
      signal?.removeEventListener('abort', onAbort);
      means.remove(waiter);
      settle();
    };
    const waiter: Waiter<End> = {
      resolve: (end) => finish(() => resolve(end)),
      reject: (error) => finish(() => reject(error)),
    };
    const onAbort = (): void => waiter.reject(signal?.reason);
    const cancelTimeout =
      timeoutMs === undefined
        ? null
        : means.clock.after(timeoutMs, () => waiter.reject(means.timedOut(timeoutMs)));
    signal?.addEventListener('abort', onAbort, { once: true });
    means.add(waiter);
  });
}

function requireSignal(signal: AbortSignal): void {
  const { aborted, addEventListener, removeEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  const isSignal =
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function';
  if (!isSignal) throw optionInvalid('signal', signal, `an AbortSignal${adviceFor(signal)}`);
}
