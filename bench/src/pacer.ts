/**
 * An open-loop sender: job `n` is due at `start + n / rate`, whatever became of the ones before. It never waits for a
 * reply, and latencies count from the intended time, so that a system that stalls pays for every job it held up
 * (Gil Tene's "coordinated omission").
 */
export interface PaceOptions {
  /** Jobs a second. */
  readonly rate: number;
  readonly count: number;
  readonly clock: PacerClock;
  /**
   * Starts the request for job `n` and returns at once, with the promise of its answer where there is one; `intendedMs` is on
   * the pacer's clock.
   */
  readonly send: (n: number, intendedMs: number) => unknown;
}

export interface PacerClock {
  /** Milliseconds, monotonic. */
  now(): number;
  after(delayMs: number, callback: () => void): void;
}

/** The first job is due so long after the call. */
const LEAD_MS = 10;

/** Resolves when all are sent and answered. Rejects with what `send` throws, or with the first failure of an answer. */
export async function pace({ rate, count, clock, send }: PaceOptions): Promise<void> {
  const start = clock.now() + LEAD_MS;
  const answers: Promise<unknown>[] = [];
  let n = 0;
  await new Promise<void>((resolve, reject) => {
    const tick = (): void => {
      try {
        for (; n < count; n += 1) {
          const intended = start + (n * 1_000) / rate;
          const wait = intended - clock.now();
          if (wait > 0) {
            clock.after(wait, tick);
            return;
          }
          const answer = Promise.resolve(send(n, intended));
          // It may fail long before all are sent, and nobody waits for it until then.
          answer.catch(() => undefined);
          answers.push(answer);
        }
        resolve();
      } catch (error) {
        reject(error);
      }
    };
    tick();
  });
  await Promise.all(answers);
}

/**
 * The machine's monotonic clock in ms. Node reads it from the same system counter in every process of a host, which
 * `performance.timeOrigin` (the wall clock at each process's start) would spoil by any step of the wall clock between.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export const systemPacerClock: PacerClock = {
  now: monotonicMs,
  // Node's timers keep whole milliseconds and fire up to one late; what that adds counts as latency.
  after: (delayMs, callback) => void setTimeout(callback, delayMs),
};
