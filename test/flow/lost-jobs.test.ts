import assert from 'node:assert/strict';
import { RUN_CHECK_MS } from '../../src/flow/run-check.ts';
import { defineFlow, defineTask, type Longshore } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { onEachStore, record, type Stage } from '../stage.ts';
import { VANDALS, type Vandal, vandalOf } from './vandal.ts';

/** A run whose job, report or child is damaged or deleted does not wait for ever. */

const echo = defineTask({ name: 'echo', run: ({ input }) => input });
const tasks = [echo];

interface Place {
  readonly longshore: Longshore;
  readonly store: Store;
  readonly vandal: Vandal;
  readonly clock: FakeClock;
  idle(): Promise<unknown>;
  /** Claims all there is, as a worker that ends before it looks at plans. */
  settleOnly(): Promise<void>;
}

function onEachDamage(title: string, body: (place: Place) => Promise<void>): void {
  onEachStore(
    title,
    async (stage: Stage) => {
      const clock = new FakeClock();
      const found: Store[] = [];
      const longshore = await stage.connectThrough(
        (store) => {
          found.push(store);
          return {};
        },
        { clock },
      );
      const store = found[0] as Store;
      await body({
        longshore,
        store,
        clock,
        vandal: await vandalOf(stage),
        idle: () => longshore.worker({ tasks }).runUntilIdle(),
        async settleOnly() {
          const { leases } = await store.claim({
            workerId: 'w',
            queues: ['default'],
            limit: 100,
            leaseMs: 30_000,
          });
          await store.settle(
            leases.map(({ id, token, input }) => ({
              id,
              token,
              outcome: { type: 'completed', result: input },
            })),
          );
        },
      });
    },
    VANDALS,
  );
}

async function jobOf(longshore: Longshore, run: string, step: string): Promise<string> {
  const view = await longshore.flows.get(run);
  return view?.steps.find(({ name }) => name === step)?.job?.id ?? assert.fail('the step has no job');
}

onEachDamage('a run whose job vanished fails when it looks after its jobs', async (place) => {
  const { longshore, vandal, clock, idle } = place;
  const flow = defineFlow({ name: 'f', steps: (s) => s.step('a', echo) });
  const run = await longshore.flows.start(flow, 1);
  await vandal.job(await jobOf(longshore, run.id, 'a'));
  await idle();
  assert.equal((await longshore.flows.get(run.id))?.state, 'running');
  await clock.advance(RUN_CHECK_MS);
  await idle();
  await assert.rejects(run.result(), { code: 'RUN_FAILED', message: /step 'a' failed/ });
});

onEachDamage('a run whose jobs are well goes on after it looked after them', async (place) => {
  const { longshore, clock, idle } = place;
  const flow = defineFlow({ name: 'f', steps: (s) => s.step('a', echo, { queue: 'later' }) });
  const run = await longshore.flows.start(flow, 1);
  for (let hour = 0; hour < 3; hour += 1) {
    await clock.advance(RUN_CHECK_MS);
    await idle();
    assert.equal((await longshore.flows.get(run.id))?.state, 'running');
  }
  await longshore.worker({ tasks, queues: ['later'] }).runUntilIdle();
  assert.equal(await run.result(), 1);
});

onEachDamage('a report that was lost is made again from the job', async (place) => {
  const { longshore, vandal, clock, idle, settleOnly } = place;
  const flow = defineFlow({
    name: 'f',
    steps: (s) => s.step('b', echo, { input: () => ({ from: s.step('a', echo) }) }),
  });
  const run = await longshore.flows.start(flow, 7);
  await settleOnly();
  await vandal.reports(`run/${run.id}`);
  await clock.advance(RUN_CHECK_MS);
  await idle();
  assert.deepEqual(await run.result(), { from: 7 });
});

onEachDamage('a fan-out of which some jobs vanished ends', async (place) => {
  const { longshore, vandal, clock, idle } = place;
  const flow = defineFlow({
    name: 'f',
    steps: (s) => s.each('i', echo, { over: [10, 11, 12, 13], failure: 'continue' }),
  });
  const run = await longshore.flows.start(flow, null);
  const { jobs } = await longshore.jobs.list({ task: 'echo' });
  await vandal.job(jobs.find(({ input }) => input === 12)?.id ?? '');
  await idle();
  assert.equal((await longshore.flows.get(run.id))?.state, 'running');
  await clock.advance(RUN_CHECK_MS);
  await idle();
  assert.deepEqual(await run.result(), [10, 11, null, 13]);
});

for (const damage of ['plan', 'cutPlan'] as const)
  onEachDamage(`a step whose child run is damaged or gone fails: ${damage}`, async (place) => {
    const { longshore, vandal, clock, idle } = place;
    const child = defineFlow({ name: 'child', steps: (s) => s.step('a', echo, { queue: 'later' }) });
    const flow = defineFlow({ name: 'f', steps: (s) => s.flow('c', child) });
    const run = await longshore.flows.start(flow, 1);
    await idle();
    await vandal[damage](`run/${run.id}>c`);
    await clock.advance(RUN_CHECK_MS);
    await idle();
    await assert.rejects(run.result(), { code: 'RUN_FAILED', message: /step 'c' failed/ });
  });

onEachDamage('a damaged meta that still names the run stops the step at once', async (place) => {
  const { longshore, vandal, idle } = place;
  const flow = defineFlow({ name: 'f', steps: (s) => s.step('a', echo) });
  const run = await longshore.flows.start(flow, 1);
  const ends = record(longshore, 'job.failed');
  const job = await jobOf(longshore, run.id, 'a');
  await vandal.damageMeta(job, cutBehindPlan);
  await idle();
  // The second one tells what the first one set aside on its way.
  await idle();
  await assert.rejects(run.result(), { code: 'RUN_FAILED', message: /step 'a' failed/ });
  assert.deepEqual(
    ends.map(({ event }) => event.id),
    [job],
  );
});

onEachDamage('a meta that names nothing any more makes no worker hang', async (place) => {
  const { longshore, vandal, clock, idle } = place;
  const flow = defineFlow({ name: 'f', steps: (s) => s.step('a', echo) });
  const run = await longshore.flows.start(flow, 1);
  await vandal.damageMeta(await jobOf(longshore, run.id, 'a'), (meta) =>
    meta.replace('"plan":"run/', '"plan":'),
  );
  await idle();
  await clock.advance(RUN_CHECK_MS);
  await idle();
  await assert.rejects(run.result(), { code: 'RUN_FAILED', message: /step 'a' failed/ });
});

/** JSON that ends behind the reference; of a whole record, whatever follows goes as well. */
function cutBehindPlan(meta: string): string {
  const [ref] = /"plan":"[^"]*"/.exec(meta) ?? assert.fail('no plan in the meta');
  return meta.slice(0, meta.indexOf(ref) + ref.length);
}
