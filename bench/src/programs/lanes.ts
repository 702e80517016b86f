import { compute, type LaneInput, noop, QUEUE } from '../lanes/tasks.ts';
import { type Evidence, Ledger, type LedgerReport, type Sabotage } from '../ledger.ts';
import { connect, defineTask, type JobHandle, type Longshore, type Worker } from '../longshore.ts';
import { monotonicMs } from '../pacer.ts';
import { type Phase, startPhase } from '../phase.ts';
import { type Parent, program } from '../program.ts';
import { keepMarksIn, ledgerOf } from '../run-marks.ts';
import { countJobs, finishLine } from '../workload.ts';
import { computedAfter, seedOf } from '../workloads/computation.ts';

/**
 * Burns a queue down whose handlers run in one lane. The lane's hosts have started and run compiled code when the clock
 * starts; it runs from the moment the filled queue is resumed until the last outcome is in the store. Meanwhile inline
 * jobs of another worker of this process may be timed, which another process sends.
 */
export interface LaneSettings {
  readonly url: string;
  readonly task: 'noop' | 'compute';
  readonly strategy: 'async' | 'thread' | 'process';
  /** Most threads, or processes. */
  readonly hosts: number;
  readonly concurrency: number;
  readonly jobs: number;
  /** Of one job, where it computes. */
  readonly iterations: number;
  readonly warmup: number;
  /** Before these, jobs of a thousandth of the work: worker and store run compiled code, however few jobs are timed. */
  readonly shortWarmup: number;
  readonly batch: number;
  readonly marksFile: string;
  /** Inline jobs that are timed meanwhile, sent by programs/latency.ts; 0: none. */
  readonly timed: number;
  readonly sabotage: Sabotage | null;
}

export interface LaneRun extends Evidence {
  readonly enqueue: Phase;
  readonly process: Phase;
  /** Results that were not what they should be. */
  readonly wrongResults: number;
  /** From the intended send time of each inline job to the start of its handler, ms. */
  readonly pickupMs: Float64Array;
  readonly timedLedger: LedgerReport;
}

program<LaneSettings, LaneRun>(async (settings, parent) => {
  const { url, jobs, marksFile, sabotage } = settings;
  keepMarksIn(marksFile);
  const longshore = await connect(url);
  try {
    const { strategy, hosts, concurrency } = settings;
    const task = settings.task === 'noop' ? noop : compute;
    const worker = longshore.worker({
      tasks: [task],
      queues: [QUEUE, WARM_UP],
      strategy,
      concurrency,
      threads: hosts,
      processes: hosts,
    });
    await worker.start();
    await warmUp(longshore, worker, settings);
    const timing = await startTimed(longshore, settings.timed);
    const burned = await burn(longshore, worker, settings, parent);
    const { pickupMs, timedLedger } = await timing.end();
    await worker.stop();
    const { handles, ...phases } = burned;
    return {
      ...phases,
      wrongResults: settings.task === 'noop' ? 0 : await countWrong(handles, settings.iterations),
      pickupMs,
      timedLedger,
      ledger: ledgerOf(marksFile, jobs, sabotage).report(),
      counts: await countJobs(longshore),
    };
  } finally {
    await longshore.close();
  }
});

const WARM_UP = 'warm-up';

async function warmUp(longshore: Longshore, worker: Worker, settings: LaneSettings): Promise<void> {
  const { warmup, shortWarmup, iterations } = settings;
  const short = { ...settings, iterations: Math.ceil(iterations / 1_000) };
  const inputs = [
    ...Array.from({ length: shortWarmup }, () => inputOf(-1, short)),
    ...Array.from({ length: warmup }, () => inputOf(-1, settings)),
  ];
  if (inputs.length === 0) return;
  const finished = finishLine(longshore, worker, inputs.length);
  await fill(longshore, inputs, settings, WARM_UP);
  await finished;
  await longshore.queues.obliterate(WARM_UP);
}

async function burn(
  longshore: Longshore,
  worker: Worker,
  settings: LaneSettings,
  parent: Parent,
): Promise<Pick<LaneRun, 'enqueue' | 'process'> & { readonly handles: readonly JobHandle[] }> {
  const { jobs, warmup, shortWarmup } = settings;
  const inputs = Array.from({ length: jobs }, (_, n) => inputOf(n, settings));
  await longshore.queues.pause(QUEUE);
  const enqueuing = startPhase();
  const handles = await fill(longshore, inputs, settings, QUEUE);
  const enqueue = enqueuing.end(jobs);
  parent.say('ready');
  await parent.told('go');
  const finished = finishLine(longshore, worker, warmup + shortWarmup + jobs);
  const processing = startPhase();
  await longshore.queues.resume(QUEUE);
  return { enqueue, process: processing.end(jobs, await finished), handles };
}

/** What a job that does not compute has no use for is left out: its input is as small as can be. */
function inputOf(n: number, { task, iterations }: LaneSettings): object {
  return task === 'noop' ? { n } : ({ n, iterations } satisfies LaneInput);
}

async function fill(
  longshore: Longshore,
  inputs: readonly object[],
  { task, batch }: LaneSettings,
  queue: string,
): Promise<JobHandle[]> {
  const { name } = task === 'noop' ? noop : compute;
  const handles: JobHandle[] = [];
  for (let start = 0; start < inputs.length; start += batch)
    handles.push(...(await longshore.enqueueMany(name, inputs.slice(start, start + batch), { queue })));
  return handles;
}

/** The worker of the inline jobs: of this process, but with slots of its own. */
async function startTimed(
  longshore: Longshore,
  jobs: number,
): Promise<{ end(): Promise<Pick<LaneRun, 'pickupMs' | 'timedLedger'>> }> {
  const ledger = new Ledger(jobs);
  const pickupMs = new Float64Array(jobs);
  const report = () => ({ pickupMs, timedLedger: ledger.report() });
  if (jobs === 0) return { end: async () => report() };
  const timed = defineTask({
    name: 'timed',
    run: ({ input }) => {
      const { n, intendedMs } = input as { n: number; intendedMs: number };
      pickupMs[n] = monotonicMs() - intendedMs;
      ledger.mark(n);
    },
  });
  const worker = longshore.worker({ tasks: [timed] });
  const finished = finishLine(longshore, worker, jobs);
  await worker.start();
  return {
    async end() {
      await finished;
      await worker.stop();
      return report();
    },
  };
}

async function countWrong(handles: readonly JobHandle[], iterations: number): Promise<number> {
  const results = await Promise.all(handles.map((handle) => handle.result()));
  return results.filter((result, n) => result !== computedAfter(seedOf(n), iterations)).length;
}
