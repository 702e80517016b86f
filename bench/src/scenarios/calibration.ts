import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Calibration, Rates } from '../programs/calibrate.ts';
import { run } from '../runner.ts';
import { CATALOGUE } from '../workloads/catalogue.ts';
import { jittered } from '../workloads/jitter.ts';
import type { Scenario } from './scenario.ts';

export type { Calibration, Rates } from '../programs/calibrate.ts';

/**
 * Finds out, once a command and in a process of its own, how much work a second of this machine is, while nothing else
 * runs: from then on a second of work is that amount, whatever else is going on.
 */
export async function calibrate({
  workspace,
  signal,
}: Pick<Bench, 'workspace' | 'signal'>): Promise<Calibration> {
  const { folder } = workspace;
  try {
    return await run<Calibration>('calibrate', { folder }, { timeoutMs: 120_000, signal });
  } finally {
    rmSync(join(folder, 'calibration'), { force: true });
  }
}

/** The work of each job, by its number. */
export function amounts(
  { workload, jobs, workSeconds, jitter }: Scenario,
  { cpuIterationsPerSecond, ioWritesPerSecond }: Rates,
): number[] {
  const { unit } = CATALOGUE[workload];
  const rate = unit === 'writes' ? ioWritesPerSecond : cpuIterationsPerSecond;
  return jittered(workSeconds * rate, jitter, jobs);
}
