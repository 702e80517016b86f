import type { WorkReport } from '../programs/scenario.ts';
import { CATALOGUE } from '../workloads/catalogue.ts';
import type { RunRecord } from '../workloads/run-log.ts';
import type { WorkloadName } from './scenario.ts';

/** All that is known of what became of the jobs: from the store, and from the handlers themselves. */
export interface Findings {
  readonly workload: WorkloadName;
  /** Work of each job, by its number. */
  readonly amounts: readonly number[];
  readonly jobTimeoutMs: number;
  readonly report: WorkReport;
  readonly records: readonly RunRecord[];
}

export interface Verdict {
  /** Completed in the store, each with the right result of its work. */
  readonly completed: number;
  readonly redeliveries: number;
  readonly leaseLosses: number;
  /** What is wrong; null where nothing is. */
  readonly error: string | null;
}

/** Whether each job ran once, did its work in its time and is completed. */
export function verify(findings: Findings): Verdict {
  const { workload, amounts, jobTimeoutMs, report, records } = findings;
  const starts = timesOf(records, 'start', amounts.length);
  const ends = timesOf(records, 'end', amounts.length);
  const late = overdue(records, jobTimeoutMs);
  const numbers = [...amounts.keys()];
  const { expected } = CATALOGUE[workload];
  const isCompleted = (n: number): boolean => report.jobs[n]?.state === 'completed';
  const isRight = (n: number): boolean => report.jobs[n]?.result === expected(n, amounts[n] as number);
  const completed = numbers.filter((n) => isCompleted(n) && isRight(n)).length;
  const redeliveries = starts.reduce((sum, times) => sum + Math.max(0, times - 1), 0);
  const faults = [
    ...states(report),
    fault('returned a wrong result', (n) => isCompleted(n) && !isRight(n)),
    fault('never started', (n) => starts[n] === 0),
    fault('started more than once', (n) => (starts[n] as number) > 1),
    fault('completed without having run to its end', (n) => isCompleted(n) && ends[n] === 0),
    // A worker cannot stop a handler on its own event loop, and takes what that gives later; here one limit holds for all.
    fault(`completed after the job's timeout of ${jobTimeoutMs} ms`, (n) => isCompleted(n) && late.has(n)),
  ].filter((text) => text !== null);
  const error = faults.length === 0 ? null : `of ${amounts.length} jobs, ${faults.join('; ')}`;
  return { completed, redeliveries, leaseLosses: report.lost, error };

  function fault(what: string, holds: (n: number) => boolean): string | null {
    const found = numbers.filter(holds);
    return found.length === 0 ? null : `${found.length} ${what} (e.g. number ${found[0]})`;
  }
}

function timesOf(records: readonly RunRecord[], type: RunRecord['type'], jobs: number): number[] {
  const times = new Array<number>(jobs).fill(0);
  for (const record of records) if (record.type === type) times[record.n] = (times[record.n] ?? 0) + 1;
  return times;
}

/** Jobs whose handler ran longer than that. */
function overdue(records: readonly RunRecord[], jobTimeoutMs: number): Set<number> {
  const began = new Map<number, number>();
  const found = new Set<number>();
  for (const { type, n, at } of records) {
    if (type === 'start') began.set(n, at);
    else if (at - (began.get(n) ?? at) > jobTimeoutMs) found.add(n);
  }
  return found;
}

/** Jobs that are not completed, by the state that they are in, with an error where there is one. */
function states({ jobs }: Pick<WorkReport, 'jobs'>): string[] {
  const groups = Map.groupBy(jobs, ({ state }) => state);
  groups.delete('completed');
  return [...groups].map(([state, those]) => {
    const error = those.find((job) => job.error !== null)?.error;
    const where = state === 'missing' ? 'are not in the store' : `are ${state} in the store`;
    return `${those.length} ${where}${error === undefined ? '' : ` (${error})`}`;
  });
}
