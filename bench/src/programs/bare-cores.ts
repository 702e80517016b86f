import { monotonicMs } from '../pacer.ts';
import { program } from '../program.ts';
import { compute, seedOf } from '../workloads/computation.ts';

/** Jobs that compute, one after the other in a plain process: what a core can do where nothing else is to be done. */
export interface BareSettings {
  readonly jobs: number;
  readonly iterations: number;
}

export interface BareRun {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** One for each job, in order. */
  readonly results: readonly number[];
}

program<BareSettings, BareRun>(async ({ jobs, iterations }, parent) => {
  for (let n = 0; n < WARM_UP; n += 1) compute(seedOf(n), iterations);
  parent.say('ready');
  await parent.told('go');
  const results: number[] = [];
  const startedAtMs = monotonicMs();
  for (let n = 0; n < jobs; n += 1) results.push(compute(seedOf(n), iterations));
  return { startedAtMs, endedAtMs: monotonicMs(), results };
});

/** Jobs before the clock starts: the engine compiles what it runs often. */
const WARM_UP = 4;
