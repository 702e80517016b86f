import assert from 'node:assert/strict';
import { type Backoff, defineTask } from '../../src/index.ts';
import { record, type Stage } from '../stage.ts';

/** Enqueues one job, runs it until nothing is claimable, and returns it as it is then. */
export async function outcomeOf(
  { connect }: Stage,
  run: (attempt: number) => unknown,
  options: { attempts?: number; backoff?: Backoff } = {},
) {
  const longshore = await connect({ payloadBytesMax: 1_000 });
  const task = defineTask({ name: 'task', backoff: 0, ...options, run: ({ attempt }) => run(attempt) });
  const { id } = await longshore.enqueue(task, null);
  const events = record(longshore, 'job.retried', 'job.snoozed', 'job.failed', 'job.completed');
  const worker = longshore.worker({ tasks: [task] });
  const tally = await worker.runUntilIdle();
  const job = await longshore.jobs.get(id);
  assert.ok(job);
  return { job, events, tally, worker };
}
