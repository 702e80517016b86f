import { fanOutShape } from '../flows/shape.ts';
import { connect, type Longshore, type Worker } from '../longshore.ts';
import { type Phase, startPhase } from '../phase.ts';
import { program } from '../program.ts';
import { countJobs, finishLine, warmUp } from '../workload.ts';

/**
 * How fast one worker empties a queue of jobs that are steps of a run, or of plain jobs with the same handler: one fan-out
 * without a worker until all of its jobs are there, or as many plain jobs; then the worker.
 */
export interface FlowSettleSettings {
  readonly kind: 'steps' | 'plain';
  readonly url: string;
  readonly jobs: number;
  readonly concurrency: number;
  readonly warmup: number;
  readonly timeoutMs: number;
}

export interface FlowSettleRun {
  readonly process: Phase;
  readonly completed: number;
  readonly right: boolean;
}

const BATCH = 1_000;
const LOOK_MS = 20;

program<FlowSettleSettings, FlowSettleRun>(async ({ kind, url, jobs, concurrency, warmup, timeoutMs }) => {
  const shape = await fanOutShape([jobs]);
  const longshore = await connect(url, { payloadBytesMax: 64 * 2 ** 20 });
  try {
    await warmUp(longshore, 'warm-up', { warmup, concurrency, payload: 10, batch: BATCH });
    const run = kind === 'steps' ? await longshore.flows.start(shape.flow, jobs) : null;
    if (kind === 'plain') {
      const inputs = Array.from({ length: jobs }, (_, n) => n);
      for (let from = 0; from < jobs; from += BATCH)
        await longshore.enqueueMany('square', inputs.slice(from, from + BATCH));
    }
    await allReady(longshore, jobs, timeoutMs);
    const worker = longshore.worker({ tasks: [...shape.tasks], concurrency });
    const process = await burn(longshore, worker, jobs);
    const right = run === null || (await run.result({ timeoutMs })) === shape.result(0);
    await worker.stop();
    const { completed = 0 } = await countJobs(longshore);
    return { process, completed, right };
  } finally {
    await longshore.close();
  }
});

async function burn(longshore: Longshore, worker: Worker, jobs: number): Promise<Phase> {
  const finished = finishLine(longshore, worker, jobs);
  const phase = startPhase();
  await worker.start();
  return phase.end(jobs, await finished);
}

async function allReady(longshore: Longshore, jobs: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (((await countJobs(longshore)).ready ?? 0) < jobs) {
    if (performance.now() > deadline)
      throw new Error(`${jobs} jobs were not enqueued within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
