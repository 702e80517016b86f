import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Ledger, type Sabotage } from './ledger.ts';

/**
 * How handlers in other threads and processes say that they ran, whatever becomes of their host: each run appends its
 * job's number to one file, which the ledger is made from. It costs about 2 µs a job, the same in every lane and system.
 */
const VARIABLE = 'LONGSHORE_BENCH_MARKS';
const RECORD_BYTES = 4;

/** For the program that starts the hosts, before it does: they inherit its environment. The file may not exist yet. */
export function keepMarksIn(file: string): void {
  process.env[VARIABLE] = file;
  closeSync(openSync(file, 'a'));
}

/** Job `n` ran. Jobs that only warm up have no number of their own: -1. */
export function markRun(n: number): void {
  if (n < 0) return;
  descriptor ??= openSync(process.env[VARIABLE] as string, 'a');
  record.writeUInt32LE(n);
  // One write at the end of the file: records of several processes do not mix.
  writeSync(descriptor, record, 0, RECORD_BYTES);
}

const record = Buffer.alloc(RECORD_BYTES);
let descriptor: number | null = null;

/** What was marked in the file. */
export function ledgerOf(file: string, jobs: number, sabotage: Sabotage | null): Ledger {
  const marks = readFileSync(file);
  const ledger = new Ledger(jobs, sabotage);
  for (let at = 0; at < marks.length; at += RECORD_BYTES) ledger.mark(marks.readUInt32LE(at));
  return ledger;
}
