import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defineTask, type Longshore } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, onEachStore, record, SHARED_KINDS, type Stage } from '../stage.ts';

const OLD = { id: 'old', key: randomBytes(32) };
const NEW = { id: 'new', key: randomBytes(32) };

const secret = defineTask({ name: 'secret', run: ({ input }) => `ran ${input}` });

/** On stores that two connections with different keys can share. */
function onEach(title: string, body: (stage: Stage) => Promise<void>): void {
  onEachStore(title, body, SHARED_KINDS);
}

onEach('jobs of a key that a worker lacks wait uncharged for one that has it', async (stage) => {
  const clock = new FakeClock();
  const [old, fresh] = await rotating(stage, clock);
  const told = record(old, 'job.started', 'job.retried', 'job.failed', 'payload.unopened');
  const jobs = await fresh.enqueueMany(secret, [1, 2, 3]);
  const tally = await run(old, clock);
  assert.deepEqual([tally.snoozed, tally.retried, tally.failed], [3, 0, 0]);
  assert.deepEqual(
    told.map(({ name, event }) => `${name} ${'code' in event && event.code}`),
    Array(3).fill('payload.unopened KEY_UNKNOWN'),
  );
  for (const { id } of jobs) {
    const job = await old.jobs.get(id);
    assert.deepEqual([job?.state, job?.attempt, job?.errors], ['scheduled', 0, []]);
    assert.match(job?.logs[0]?.message ?? '', /^KEY_UNKNOWN: .*encrypted with key 'new'/);
  }
  await clock.advance(60_000);
  await run(fresh, clock);
  assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), ['ran 1', 'ran 2', 'ran 3']);
});

onEach('a job whose key no worker gets is a dead letter in the end, and says why', async (stage) => {
  const clock = new FakeClock();
  const [old, fresh] = await rotating(stage, clock);
  const { id } = await fresh.enqueue(secret, 1);
  await run(old, clock);
  await clock.advance(10_000);
  await run(old, clock);
  const job = await old.jobs.get(id);
  assert.deepEqual([job?.state, job?.errors[0]?.code], ['failed', 'KEY_UNKNOWN']);
  await old.jobs.redrive(id);
  await run(old, clock);
  assert.equal((await old.jobs.get(id))?.state, 'scheduled');
});

onEach('an attempt by a worker that has the key starts the time anew', async (stage) => {
  const clock = new FakeClock();
  const [old, fresh] = await rotating(stage, clock);
  const failing = defineTask({
    name: 'secret',
    backoff: { type: 'fixed', delayMs: 1_000 },
    run: () => Promise.reject(new Error('not yet')),
  });
  const { id } = await fresh.enqueue(secret, 1);
  await run(old, clock);
  await clock.advance(9_000);
  await run(fresh, clock, failing);
  await clock.advance(2_000);
  await run(old, clock);
  assert.equal((await old.jobs.get(id))?.state, 'scheduled');
});

onEach('a job without encryption waits until plain payloads are accepted', async (stage) => {
  const clock = new FakeClock();
  const plain = await stage.connect({ clock });
  const job = await plain.enqueue(secret, 1);
  const strict = await stage.connect({ clock, encryption: { keys: [OLD] } });
  const told = record(strict, 'payload.unopened');
  await run(strict, clock);
  assert.deepEqual(
    told.map(({ event }) => event.code),
    ['PAYLOAD_PLAIN'],
  );
  assert.equal((await plain.jobs.get(job.id))?.attempt, 0);
  const lenient = await stage.connect({ clock, encryption: { keys: [OLD], acceptPlain: true } });
  await clock.advance(60_000);
  await run(lenient, clock);
  assert.equal(await lenient.jobs.handle(job.id).result(), 'ran 1');
});

onEach('progress that a worker cannot open charges nothing, either', async (stage) => {
  const clock = new FakeClock();
  const [old, fresh] = await rotating(stage, clock);
  const resuming = defineTask({
    name: 'secret',
    backoff: { type: 'fixed', delayMs: 1_000 },
    async run({ lastProgress, progress }) {
      const last = await lastProgress();
      if (last !== undefined) return `from ${last}`;
      progress('half');
      throw new Error('stopped half way');
    },
  });
  // Without an input: what the worker meets first is the progress.
  const job = await old.enqueue(resuming, undefined);
  await run(fresh, clock, resuming);
  await clock.advance(2_000);
  const tally = await run(old, clock, resuming);
  assert.deepEqual([tally.snoozed, tally.retried], [1, 0]);
  const met = await old.jobs.get(job.id);
  assert.deepEqual([met?.state, met?.attempt, met?.errors.length], ['scheduled', 1, 1]);
  await clock.advance(60_000);
  await run(fresh, clock, resuming);
  assert.equal(await fresh.jobs.handle(job.id).result(), 'from half');
});

/** One connection that still has the old key alone, and one that encrypts with the new one. */
async function rotating(stage: Stage, clock: FakeClock): Promise<[old: Longshore, fresh: Longshore]> {
  return [
    await stage.connect({ clock, encryption: { keys: [OLD] } }),
    await stage.connect({ clock, encryption: { keys: [NEW, OLD] } }),
  ];
}

function run(longshore: Longshore, clock: FakeClock, task = secret as ReturnType<typeof defineTask>) {
  const worker = longshore.worker({ tasks: [task], unknownTaskMs: 10_000 });
  return advanceUntil(clock, worker.runUntilIdle(), 0);
}
