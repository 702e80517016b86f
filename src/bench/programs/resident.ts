import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence } from '../ledger.ts';
import { program } from '../program.ts';

/**
 * The memory of a process with a started, idle worker, or of one with nothing in it. Everything is loaded on demand,
 * so that the empty process is Node, this file and the message channel alone.
 */
export interface ResidentSettings {
  /** Null: nothing is loaded. */
  readonly url: string | null;
  readonly settleMs: number;
}

export interface ResidentRun {
  readonly residentBytes: number;
  /** Of a job after the measurement; null for the empty process. */
  readonly evidence: Evidence | null;
}

program<ResidentSettings, ResidentRun>(({ url, settleMs }) =>
  url === null ? empty(settleMs) : worker(url, settleMs),
);

async function empty(settleMs: number): Promise<ResidentRun> {
  await sleep(settleMs);
  return { residentBytes: process.memoryUsage.rss(), evidence: null };
}

async function worker(url: string, settleMs: number): Promise<ResidentRun> {
  const { connect, defineTask } = await import('../../index.ts');
  await using longshore = await connect(url);
  let ran = (_n: number): void => undefined;
  const task = defineTask({ name: 'noop', run: ({ input }) => ran((input as { n: number }).n) });
  const worker = longshore.worker({ tasks: [task] });
  await worker.start();
  await sleep(settleMs);
  const residentBytes = process.memoryUsage.rss();

  const { Ledger } = await import('../ledger.ts');
  const { countJobs, finishLine, STALL_MS } = await import('../workload.ts');
  const ledger = new Ledger(1);
  ran = (n) => ledger.mark(n);
  const finished = finishLine(longshore, 1, STALL_MS);
  await longshore.enqueue(task, { n: 0 });
  await finished;
  await worker.stop();
  return { residentBytes, evidence: { ledger: ledger.report(), counts: await countJobs(longshore) } };
}
