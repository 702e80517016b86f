import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { round } from './spread.ts';

/** How late timers of an event loop fire, ms. */
export interface LoopDelay {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly samples: number;
}

const RESOLUTION_MS = 5;

/** Measures from now on, until the returned function is called. */
export async function watchLoop(): Promise<() => LoopDelay> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  // Its first tick is where it begins: a loop that is held before that would not be noticed.
  await wait(3 * RESOLUTION_MS);
  delay.reset();
  return () => {
    delay.disable();
    return lateness(delay);
  };
}

/** What is recorded is the time between two ticks, not how late the second was. */
function lateness(delay: ReturnType<typeof monitorEventLoopDelay>): LoopDelay {
  const ms = (nanoseconds: number): number => round(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS));
  const at = (percentile: number): number => ms(delay.percentile(percentile));
  return { p50: at(50), p95: at(95), p99: at(99), max: ms(delay.max), samples: delay.count };
}
