import { isMainThread } from 'node:worker_threads';
import type { LaneName } from '../longshore.ts';
import { monotonicMs } from '../pacer.ts';
import { ownUse } from './own-use.ts';
import { logRun, type ProcessUse } from './run-log.ts';

/** The input of every job that works. */
export interface WorkInput {
  /** The job's number, from 0. */
  readonly n: number;
  /** How much work it is, in the workload's unit. */
  readonly amount: number;
  /** For the log of runs and the job's own files. */
  readonly folder: string;
  readonly workerPid: number;
}

export interface Work {
  readonly result: number;
  readonly child?: ProcessUse;
}

/** A handler's run with its records. `work` is called at once, so that what it computes before its first await is known to be the handler's. */
export async function recorded(
  input: WorkInput,
  work: (input: WorkInput) => Work | Promise<Work>,
): Promise<number> {
  const { n, folder, workerPid } = input;
  const lane = laneHere(workerPid);
  logRun(folder, { type: 'start', n, at: monotonicMs(), lane });
  const { result, child = null } = await work(input);
  const at = monotonicMs();
  logRun(folder, { type: 'end', n, at, host: lane === 'process' ? ownUse() : null, child });
  return result;
}

function laneHere(workerPid: number): LaneName {
  if (process.pid !== workerPid) return 'process';
  return isMainThread ? 'inline' : 'thread';
}
