import type { AnyTask } from '../longshore.ts';
import type { WorkloadName, WorkUnit } from '../scenarios/scenario.ts';
import { computedAfter, joined, seedOf, shares } from './computation.ts';
import { cpu } from './cpu.ts';
import { io, writtenChecksum } from './io.ts';
import { subprocess } from './subprocess.ts';
import { subprocessThreaded, THREADS } from './subprocess-threaded.ts';

/**
 * What jobs of a scenario do. Each workload is a task in a module of its own, since threads and processes import it; each
 * is an amount of work, never of time, and has a result that is known beforehand, so that one that did less is noticed.
 */
export interface Workload {
  readonly task: AnyTask;
  readonly unit: WorkUnit;
  /** What job `n` must result in. */
  readonly expected: (n: number, amount: number) => number;
}

export const CATALOGUE: Readonly<Record<WorkloadName, Workload>> = {
  cpu: { task: cpu, unit: 'iterations', expected: computed },
  io: { task: io, unit: 'writes', expected: writtenChecksum },
  subprocess: { task: subprocess, unit: 'iterations', expected: computed },
  subprocess_threaded: {
    task: subprocessThreaded,
    unit: 'iterations',
    expected: (n, amount) =>
      joined(shares(n, amount, THREADS).map(({ seed, iterations }) => computedAfter(seed, iterations))),
  },
};

function computed(n: number, amount: number): number {
  return computedAfter(seedOf(n), amount);
}
