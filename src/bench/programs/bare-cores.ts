import { computed, SEEDS } from '../lanes/tasks.ts';
import { monotonicMs } from '../pacer.ts';
import { program } from '../program.ts';

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
  for (let seed = 0; seed < SEEDS; seed += 1) computed(seed, iterations);
  parent.say('ready');
  await parent.told('go');
  const results: number[] = [];
  const startedAtMs = monotonicMs();
  for (let n = 0; n < jobs; n += 1) results.push(computed(n, iterations));
  return { startedAtMs, endedAtMs: monotonicMs(), results };
});
