import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type Longshore } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, record } from '../stage.ts';
import { abortsWhenCancelled, endsSecondTime } from './tasks/failures.ts';

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
