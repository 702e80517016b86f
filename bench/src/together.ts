import { type DurationSummary, Durations } from './histogram.ts';
import { CheckFailed } from './ledger.ts';
import { monotonicMs } from './pacer.ts';
import type { Program } from './runner.ts';

/** What measurements of several processes share: one end for all, one clock, and durations that may be trusted. */
export interface Timing extends DurationSummary {
  /** HdrHistogram, compressed V2, base64, µs. */
  readonly histogram: string;
}

/** When one of several processes fails, the others are of no use. */
export async function together<T>(signal: AbortSignal, use: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const failed = new AbortController();
  try {
    return await use(AbortSignal.any([signal, failed.signal]));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
}

/** Latencies across processes are differences of two processes' clocks: those must be one clock. */
export async function requireSameClock(programs: readonly Program<unknown>[]): Promise<void> {
  for (const program of programs) {
    const before = monotonicMs();
    program.tell('time');
    const theirs = (await program.heard('time')) as number;
    const after = monotonicMs();
    if (theirs < before || theirs > after)
      throw new CheckFailed(
        `The monotonic clocks of two processes differ: ${theirs} ms is not between ${before} and ${after} ms. No figures are given.`,
      );
  }
}

export function timing(valuesMs: Iterable<number>): Timing {
  const durations = new Durations(valuesMs);
  if (durations.negative > 0)
    throw new CheckFailed(
      `${durations.negative} durations are negative, so a clock went backwards. No figures are given.`,
    );
  return { ...durations.summary(), histogram: durations.encoded() };
}
