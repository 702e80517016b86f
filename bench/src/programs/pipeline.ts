import { monitorEventLoopDelay } from 'node:perf_hooks';
import { makeInputs } from '../inputs.ts';
import { type Evidence, Ledger, type Sabotage } from '../ledger.ts';
import { connect, type Longshore } from '../longshore.ts';
import { type Phase, startPhase } from '../phase.ts';
import { program } from '../program.ts';
import { round } from '../spread.ts';
import { countJobs, finishLine, noopTask, warmUp } from '../workload.ts';

/**
 * Burn-down through Longshore's public API: one producer that awaits each batch, then one worker over what is there.
 * The clock of `process` runs from before the worker's start until the last outcome is in the store.
 */
export interface PipelineSettings {
  readonly url: string;
  readonly jobs: number;
  readonly payload: number;
  readonly concurrency: number;
  readonly batch: number;
  /** Jobs that go the same way before the clock starts, in a queue of their own that is deleted afterwards. */
  readonly warmup: number;
  /** Whether finished jobs are kept, as by default, or deleted as they end. */
  readonly keeps: boolean;
  readonly sabotage: Sabotage | null;
}

export interface PipelineRun extends Evidence {
  readonly enqueue: Phase;
  readonly process: Phase;
  /** Of `process`, the worker's start; it is part of the phase. */
  readonly startMs: number;
  /** As the worker counted them. */
  readonly completed: number;
  /** Of the worker's event loop during `process`. */
  readonly eventLoopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

program<PipelineSettings, PipelineRun>(async (settings) => {
  const { url, jobs, payload } = settings;
  const ledger = new Ledger(jobs, settings.sabotage);
  const task = noopTask(ledger);
  const inputs = makeInputs(jobs, payload);
  const longshore = await connect(url);
  try {
    await warmUp(longshore, 'warm-up', settings);
    if (!settings.keeps) await keepNothing(longshore);
    const enqueuing = startPhase();
    for (let start = 0; start < jobs; start += settings.batch)
      await longshore.enqueueMany(task, inputs.slice(start, start + settings.batch));
    const enqueue = enqueuing.end(jobs);

    const burned = await burn(longshore, task, settings);
    const { completed = 0, ...others } = await countJobs(longshore);
    // What is not kept is known to be completed from the worker alone; none of it may still be there.
    const counts = { ...others, completed: settings.keeps ? completed : burned.completed + completed };
    return { enqueue, ...burned, ledger: ledger.report(), counts };
  } finally {
    await longshore.close();
  }
});

async function keepNothing(longshore: Longshore): Promise<void> {
  await longshore.queues.setRetention('default', { completed: { ageMs: null, count: 0 } });
}

async function burn(
  longshore: Longshore,
  task: ReturnType<typeof noopTask>,
  { jobs, concurrency }: PipelineSettings,
): Promise<Pick<PipelineRun, 'process' | 'startMs' | 'eventLoopDelayMs' | 'completed'>> {
  const worker = longshore.worker({ tasks: [task], concurrency });
  const finished = finishLine(longshore, worker, jobs);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const processing = startPhase();
  const began = performance.now();
  await worker.start();
  const startMs = round(performance.now() - began);
  const phase = processing.end(jobs, await finished);
  delay.disable();
  await worker.stop();
  const ms = (nanoseconds: number): number => round(nanoseconds / 1e6);
  return {
    process: phase,
    startMs,
    completed: worker.tally.completed,
    eventLoopDelayMs: { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) },
  };
}
