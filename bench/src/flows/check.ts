import { CheckFailed } from '../ledger.ts';
import type { Graph } from './graph.ts';
import type { Played } from './play.ts';

/**
 * Throws CheckFailed unless each run came to its right result, each job of it ran exactly once, and the store has nothing but
 * completed jobs, as many as ran.
 */
export function check(name: string, graph: Graph, { started, carried }: Played): void {
  const faults: string[] = [];
  if (started.wrong > 0) faults.push(`${started.wrong} runs did not come to their result (${started.fault})`);
  const { marks, expected, counts } = carried;
  const unlike = expected.reduce<number[]>((found, jobs, at) => {
    if (marks.times[at] !== jobs) found.push(at);
    return found;
  }, []);
  const [first] = unlike;
  if (first !== undefined) {
    const step = graph[first % graph.length]?.name;
    const where = `run ${Math.floor(first / graph.length)}, step '${step}'`;
    const ran = `ran ${marks.times[first]} jobs instead of ${expected[first]}`;
    faults.push(`${unlike.length} steps ran too often or not at all (${where} ${ran})`);
  }
  if (marks.strangers > 0) faults.push(`${marks.strangers} jobs were of unknown runs or steps`);
  const jobs = expected.reduce((total, count) => total + count, 0);
  for (const [state, count] of Object.entries(counts ?? {}))
    if (count !== (state === 'completed' ? jobs : 0))
      faults.push(`${count} jobs are ${state} in the store (of ${jobs} that were to run)`);
  if (faults.length > 0) throw new CheckFailed(`${name}: ${faults.join('; ')}. No figures are given.`);
}
