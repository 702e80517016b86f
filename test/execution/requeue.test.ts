import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type Longshore } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, nextEvent, record } from '../stage.ts';
import { abortsWhenCancelled, durableTwice, endsSecondTime } from './tasks/failures.ts';

async function started(longshore: Longshore, id: string): Promise<boolean> {
  return (await longshore.jobs.get(id))?.progress === 'started';
}

test('the time of a job stands still while it waits for another host, because of what another job did', async (t) => {
  const clock = new FakeClock();
  const longshore = await connect('memory:', { clock });
  t.after(() => longshore.close());
  const hosts = record(longshore, 'host.started');
  const worker = longshore.worker({
    tasks: [abortsWhenCancelled, endsSecondTime],
    strategy: 'process',
    processes: 1,
    jobsPerHost: 2,
    leaseMs: 60_000,
    graceMs: 0,
  });
  await worker.start();
  const culprit = await longshore.enqueue(abortsWhenCancelled, null);
  const innocent = await longshore.enqueue(endsSecondTime, null);
  for (const { id } of [culprit, innocent]) await eventually(() => started(longshore, id));
  await longshore.jobs.cancel([culprit.id]);
  await eventually(() => hosts.length === 2);
  // A process takes longer to start than these turns of the event loop.
  await clock.advance(1_300);
  assert.equal(await innocent.result(), 'ended');
});

test('durable steps outlive the process of their handler; what it waited for there does not', async (t) => {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  const worker = longshore.worker({
    tasks: [abortsWhenCancelled, durableTwice],
    strategy: 'process',
    processes: 1,
    jobsPerHost: 2,
    graceMs: 0,
  });
  await worker.start();
  const culprit = await longshore.enqueue(abortsWhenCancelled, null);
  const innocent = await longshore.enqueue(durableTwice, null);
  for (const { id } of [culprit, innocent]) await eventually(() => started(longshore, id));
  const snoozed = nextEvent(longshore, 'job.snoozed');
  await longshore.jobs.cancel([culprit.id]);
  await snoozed;
  const { steps = [], attempt } = (await longshore.jobs.get(innocent.id)) ?? {};
  assert.deepEqual(
    steps.map(({ name, state }) => `${name} ${state}`),
    ['first kept', 'late waiting'],
  );
  assert.equal(attempt, 0);
  await longshore.jobs.signal(innocent.id, 'late', 'told');
  assert.equal(await innocent.result(), 'told');
});
