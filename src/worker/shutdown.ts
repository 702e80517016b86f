import type { Clock } from '../core/clock.ts';

/**
 * Draining with a deadline: wait `graceMs` for running jobs; then abort them and wait until the executor has given up
 * on those that ignore it, which takes at most the abort grace; then stop waiting (the store may be away).
 * Resolves to how many jobs were aborted.
 */
export async function drain(options: {
  readonly clock: Clock;
  readonly graceMs: number;
  readonly abortGraceMs: number;
  /** Resolves when nothing runs and nothing is unsettled. */
  readonly quiet: () => Promise<void>;
  /** Asks all running jobs to stop; returns how many there are. */
  readonly abort: () => number;
}): Promise<number> {
  const { clock, graceMs, abortGraceMs, abort } = options;
  const quiet = options.quiet();
  if (await within(clock, graceMs, quiet)) return 0;
  const aborted = abort();
  await within(clock, abortGraceMs + SETTLE_MS, quiet);
  return aborted;
}

/** For the last outcomes to reach the store. */
const SETTLE_MS = 2_000;

async function within(clock: Clock, limitMs: number, done: Promise<void>): Promise<boolean> {
  let cancel = (): void => undefined;
  const late = new Promise<false>((resolve) => {
    cancel = clock.after(limitMs, () => resolve(false));
  });
  const first = await Promise.race([done.then(() => true as const), late]);
  cancel();
  return first;
}
