import assert from 'node:assert/strict';
import { type AnyTask, defineTask, type JobContext, type Longshore, LongshoreError } from '../../src/index.ts';
import { jobStepsKey } from '../../src/core/job-steps.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, Gate, onEachStore, type Stage } from '../stage.ts';

/** Durable steps inside one handler: what is kept, what ends an attempt, and what is left behind. On every store. */
const MINUTE = 60_000;

function handler(name: string, run: (context: JobContext<unknown>) => unknown, attempts = 5): AnyTask {
  return defineTask({ name, attempts, backoff: 0, run: run as (context: JobContext<unknown>) => Promise<unknown> });
}

/** Runs a job of the task until nothing is left to do, and says how it is. */
async function runAll(longshore: Longshore, task: AnyTask, clock?: FakeClock) {
  const job = await longshore.enqueue(task, null);
  await settleDown(longshore, task);
  return { id: job.id, get: async () => await longshore.jobs.get(job.id), clock };
}

async function settleDown(longshore: Longshore, task: AnyTask): Promise<void> {
  await longshore.worker({ tasks: [task] }).runUntilIdle();
}

onEachStore('a step that was done is not run again by a later attempt', async ({ connect }) => {
  const longshore = await connect();
  const ran: string[] = [];
  const task = handler('twice', async ({ step, attempt }) => {
    const first = await step('first', () => {
      ran.push('first');
      return { at: new Date(0), number: attempt };
    });
    const nothing = await step('nothing', () => {
      ran.push('nothing');
    });
    if (attempt < 3) throw new Error('again');
    return [first, nothing ?? 'undefined', await step('last', async () => 'end')];
  });
  const { get } = await runAll(longshore, task);
  const job = await get();
  assert.deepEqual(job?.result, [{ at: '1970-01-01T00:00:00.000Z', number: 1 }, 'undefined', 'end']);
  assert.deepEqual([job?.attempt, ran], [3, ['first', 'nothing']]);
  assert.deepEqual(job?.steps, []);
});
