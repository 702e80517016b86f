import type { Evidence } from '../ledger.ts';

/**
 * The memory of a process with a started, idle worker: `resident <url> <settle ms>`. Nothing is imported before it is
 * measured but what a user's program imports: no message channel, not even node:fs by name, which takes 2 MB.
 */
const [url = '', settleMs = '0'] = process.argv.slice(2);
const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');

writeSync(1, JSON.stringify(await worker(url)));

async function worker(storeUrl: string): Promise<ResidentRun> {
  const { connect, defineTask } = await import('../longshore.ts');
  const longshore = await connect(storeUrl);
  let ran = (_n: number): void => undefined;
  const task = defineTask({ name: 'noop', run: ({ input }) => ran((input as { n: number }).n) });
  try {
    const worker = longshore.worker({ tasks: [task] });
    await worker.start();
    await new Promise((resolve) => setTimeout(resolve, Number(settleMs)));
    const resident = memory();

    const { Ledger } = await import('../ledger.ts');
    const { countJobs, finishLine } = await import('../workload.ts');
    const ledger = new Ledger(1);
    ran = (n) => ledger.mark(n);
    const finished = finishLine(longshore, worker, 1);
    await longshore.enqueue(task, { n: 0 });
    await finished;
    await worker.stop();
    return { ...resident, evidence: { ledger: ledger.report(), counts: await countJobs(longshore) } };
  } finally {
    await longshore.close();
  }
}

/** As `EMPTY` (commands/memory.ts) measures itself. */
function memory(): Memory {
  const residentBytes = process.memoryUsage.rss();
  return {
    residentBytes,
    status: process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : null,
  };
}

export interface Memory {
  readonly residentBytes: number;
  /** What Linux says of the process. */
  readonly status: string | null;
}

export interface ResidentRun extends Memory {
  /** Of a job after the measurement. */
  readonly evidence: Evidence;
}
