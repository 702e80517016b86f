import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, defineTask, type Longshore } from '../../src/index.ts';
import { temporaryFolder } from '../stage.ts';
import { Fleet } from './fleet.ts';

async function stage(t: TestContext): Promise<{ fleet: Fleet; url: string; longshore: Longshore }> {
  const fleet = new Fleet(t);
  const closing = { close: (): Promise<void> => Promise.resolve() };
  t.after(() => closing.close());
  const url = `sqlite:${join(await temporaryFolder(t), 'jobs.db')}`;
  const longshore = await connect(url, { workerSettings: { graceMs: 100, abortGraceMs: 100 } });
  closing.close = () => longshore.close();
  return { fleet, url, longshore };
}

test('ten worker processes on one file run each of 1,000 jobs once', async (t) => {
  const { fleet, url, longshore } = await stage(t);
  const settings = { concurrency: 10, leaseMs: 60_000 };
  const members = Array.from({ length: 10 }, () => fleet.start('work', { url, settings }));
  await Promise.all(members.map((member) => fleet.ready(member)));
  assert.equal((await longshore.workers()).length, 10);
  const jobs = await longshore.enqueueMany('brief', new Array(1_000).fill(1));
  const ended = await Promise.all(jobs.map((job) => job.ended()));
  const odd = ended.filter(({ state, attempt }) => state !== 'completed' || attempt !== 1);
  assert.deepEqual(odd, []);
  await fleet.until(() => fleet.all('settled').length >= 1_000);
  const started = fleet.all('started').map(({ id }) => id);
  assert.equal(started.length, 1_000);
  assert.deepEqual(new Set(started), new Set(jobs.map(({ id }) => id)));
  assert.equal(new Set(fleet.all('settled').map(({ id }) => id)).size, 1_000);
});

test('the late outcome of a process that was stopped past its lease is refused as lost', async (t) => {
  const { fleet, url, longshore } = await stage(t);
  const settings = { leaseMs: 500, abortGraceMs: 60_000, concurrency: 1 };
  const frozen = fleet.start('work', { url, settings });
  await fleet.ready(frozen);
  const job = await longshore.enqueue('until-told', null);
  await fleet.until(() => fleet.all('started').length === 1);
  frozen.signal('SIGSTOP');
  const heir = defineTask({ name: 'until-told', run: () => 'the heir' });
  await longshore.worker({ tasks: [heir], leaseMs: 500 }).start();
  assert.equal(await job.result(), 'the heir');
  frozen.signal('SIGCONT');
  frozen.tell('finish now');
  await fleet.until(() => fleet.all('ended').length === 1 && fleet.all('lost').length === 1);
  assert.deepEqual(
    fleet.all('lost').map(({ id, attempt }) => ({ id, attempt })),
    [{ id: job.id, attempt: 1 }],
  );
  const after = await longshore.jobs.get(job.id);
  assert.equal(after?.result, 'the heir');
  assert.equal(after?.attempt, 2);
  assert.deepEqual(fleet.all('settled'), []);
});

test('a handler that blocks the event loop for 10 s keeps its lease of 2 s', async (t) => {
  const { fleet, url, longshore } = await stage(t);
  const settings = { leaseMs: 2_000, concurrency: 1 };
  const blocked = fleet.start('work', { url, settings });
  await fleet.ready(blocked);
  const job = await longshore.enqueue('block', 10_000, { attempts: 1 });
  await fleet.until(() => fleet.all('started').length === 1);
  // These are there to steal it, and reap every 50 ms.
  const thief = defineTask({ name: 'block', run: () => assert.fail('the job was stolen') });
  const expired: unknown[] = [];
  longshore.on('job.expired', (event) => expired.push(event));
  await longshore.worker({ tasks: [thief], leaseMs: 500 }).start();
  const ended = await job.ended();
  assert.deepEqual(expired, []);
  assert.deepEqual(
    { state: ended.state, attempt: ended.attempt, crashes: ended.crashes },
    { state: 'completed', attempt: 1, crashes: 0 },
  );
  const [start] = fleet.all('started');
  await fleet.until(() => fleet.all('ended').length === 1);
  const [end] = fleet.all('ended');
  assert.ok((end?.at ?? 0) - (start?.at ?? 0) >= 9_999, 'it did not block as long as it should');
});

test('a job that kills its worker ends as a dead letter, and all others complete', async (t) => {
  const { fleet, url, longshore } = await stage(t);
  const settings = { leaseMs: 500, crashesMax: 3, concurrency: 6 };
  const innocents = await longshore.enqueueMany('brief', new Array(30).fill(3));
  const killer = await longshore.enqueue('kill-worker', null);
  innocents.push(...(await longshore.enqueueMany('brief', new Array(30).fill(3))));
  let over = false;
  let deaths = 0;
  const supervise = async (): Promise<void> => {
    while (!over) {
      const member = fleet.start('work', { url, settings });
      await member.exited;
      if (!over) deaths += 1;
    }
  };
  const supervised = supervise();
  const ended = await Promise.all([killer, ...innocents].map((job) => job.ended()));
  over = true;
  fleet.killAll();
  await supervised;
  const dead = await longshore.jobs.get(killer.id);
  assert.equal(dead?.state, 'failed');
  assert.equal(dead?.errors.at(-1)?.code, 'JOB_POISONED');
  assert.equal(dead?.crashes, 3);
  assert.equal(deaths, 3);
  assert.ok(ended.slice(1).every(({ state }) => state === 'completed'));
});
