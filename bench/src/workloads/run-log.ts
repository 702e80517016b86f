import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LaneName } from '../longshore.ts';

/**
 * What handlers did, by their own word: a line at the start and one at the end of each, appended to one file. So it
 * tells of a second delivery also where the worker does not, whichever thread or process it was in, and whatever
 * became of that.
 */
export type RunRecord = StartRecord | EndRecord;

interface Moment {
  readonly n: number;
  /** Of the machine's monotonic clock, ms. */
  readonly at: number;
}

export interface StartRecord extends Moment {
  readonly type: 'start';
  readonly lane: LaneName;
}

export interface EndRecord extends Moment {
  readonly type: 'end';
  /** Of the lane's process since its start; null where that is the worker's own. */
  readonly host: ProcessUse | null;
  /** Of a process that the job itself had started. */
  readonly child: ProcessUse | null;
}

/** What a process took by now, or by its end, by its own word. */
export interface ProcessUse {
  readonly pid: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly cpuMicros: number;
  readonly peakBytes: number;
}

const FILE = 'runs.jsonl';

/** One write at the end of the file: records of several processes do not mix. */
export function logRun(folder: string, record: RunRecord): void {
  appendFileSync(join(folder, FILE), `${JSON.stringify(record)}\n`);
}

/** In the order written. A last line that was not written whole, by a process that was killed, is left out. */
export function readRuns(folder: string): RunRecord[] {
  const lines = readFileSync(join(folder, FILE), { encoding: 'utf8', flag: 'a+' }).split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as RunRecord);
}
