import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryDriver } from '../../src/store/memory/index.ts';
import { EventBus } from '../../src/telemetry/events.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { reapDuty } from '../../src/worker/maintenance/reap.ts';

test('a job whose last allowed lease ran out is told as expired and as failed, with the reason', async (t) => {
  const clock = new FakeClock();
  const store = await memoryDriver.open('memory:', { clock });
  t.after(() => store.close());
  const events = new EventBus();
  const seen: unknown[] = [];
  events.on('job.expired', ({ state, crashes }) => seen.push(['expired', state, crashes]));
  events.on('job.failed', ({ id, attempt, error }) => seen.push(['failed', id, attempt, error.code]));
  const { id } = await enqueueOne(store);
  const reap = reapDuty({ store, events, leaseMs: 1_000, crashesMax: 2 });
  for (let lost = 0; lost < 2; lost += 1) {
    await store.claim({ workerId: 'w', queues: ['q'], limit: 1, leaseMs: 1_000 });
    await clock.advance(1_000);
    await reap.run();
  }
  assert.deepEqual(seen, [
    ['expired', 'ready', 1],
    ['expired', 'failed', 2],
    ['failed', id, 2, 'JOB_POISONED'],
  ]);
});

async function enqueueOne(store: Awaited<ReturnType<typeof memoryDriver.open>>): Promise<{ id: string }> {
  const spec = { id: 'j', queue: 'q', task: 't', priority: 0, input: null, attemptsMax: 3, delayMs: 0 };
  await store.enqueue([{ ...spec, dueAt: null, unique: null, key: null }]);
  return spec;
}
