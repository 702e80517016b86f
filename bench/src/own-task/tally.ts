import { readFileSync } from 'node:fs';
import type { Sabotage } from '../ledger.ts';
import type { Longshore } from '../longshore.ts';
import { countJobs } from '../workload.ts';
import type { CellCounts } from './cell.ts';
import type { CellFault } from './faults.ts';
import { MARK_END } from './handler.ts';

/**
 * Whether each job of a cell ran exactly once or not at all, by what the handlers themselves marked and by what the store
 * has after the worker stopped.
 */
export async function tally(
  longshore: Longshore,
  marks: string,
  enqueued: number,
  sabotage: Sabotage | null,
): Promise<CellCounts | CellFault> {
  const runs = readFileSync(marks, 'utf8').split(MARK_END).slice(0, -1);
  if (sabotage === 'lost') runs.pop();
  if (sabotage === 'repeated') runs.push(runs[0] ?? '');
  return compare(runs, await countJobs(longshore), enqueued);
}

/** Pure. `runs`: the ids of jobs, once for each run of the handler. */
export function compare(
  runs: readonly string[],
  { completed = 0, ready: unstarted = 0, ...others }: Readonly<Record<string, number>>,
  enqueued: number,
): CellCounts | CellFault {
  const distinct = new Set(runs).size;
  const faults: string[] = [];
  if (distinct < runs.length)
    faults.push(`the handler ran ${runs.length - distinct} times more than it has jobs`);
  if (distinct !== completed)
    faults.push(`the handler ran for ${distinct} jobs, and ${completed} are completed in the store`);
  if (completed + unstarted !== enqueued)
    faults.push(
      `${enqueued} jobs were enqueued, and ${completed} are completed and ${unstarted} ready in the store`,
    );
  for (const [state, count] of Object.entries(others))
    if (count > 0) faults.push(`${count} jobs are ${state}`);
  if (faults.length === 0) return { enqueued, completed, unstarted };
  const message = `each job must run exactly once, but ${faults.join('; ')}`;
  return { kind: 'miscounted', message, stack: null };
}
