import { writeSync } from 'node:fs';
import type { Evidence } from '../ledger.ts';

/**
 * The memory of a process with a started, idle worker, or of one with nothing in it: `resident <url or -> <settle ms>`.
 * Started without a message channel, and everything is loaded on demand, so that the empty process is Node and this
 * file alone: a channel would load a part of what a worker needs as well, and hide it.
 */
const [url = '-', settleMs = '0'] = process.argv.slice(2);
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, Number(settleMs)));

const answer = url === '-' ? await empty() : await worker(url);
writeSync(1, JSON.stringify(answer));

async function empty(): Promise<ResidentRun> {
  await settled();
  return { residentBytes: process.memoryUsage.rss(), evidence: null };
}

async function worker(storeUrl: string): Promise<ResidentRun> {
  const { connect, defineTask } = await import('../../index.ts');
  const longshore = await connect(storeUrl);
  let ran = (_n: number): void => undefined;
  const task = defineTask({ name: 'noop', run: ({ input }) => ran((input as { n: number }).n) });
  try {
    const worker = longshore.worker({ tasks: [task] });
    await worker.start();
    await settled();
    const residentBytes = process.memoryUsage.rss();

    const { Ledger } = await import('../ledger.ts');
    const { countJobs, finishLine } = await import('../workload.ts');
    const ledger = new Ledger(1);
    ran = (n) => ledger.mark(n);
    const finished = finishLine(longshore, worker, 1);
    await longshore.enqueue(task, { n: 0 });
    await finished;
    await worker.stop();
    return { residentBytes, evidence: { ledger: ledger.report(), counts: await countJobs(longshore) } };
  } finally {
    await longshore.close();
  }
}

export interface ResidentRun {
  readonly residentBytes: number;
  /** Of a job after the measurement; null for the empty process. */
  readonly evidence: Evidence | null;
}
