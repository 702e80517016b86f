import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, Gate, nextEvent, onEachStore } from '../stage.ts';
import { heldBehindSlow, SLOW } from './held-jobs.ts';

/** Looks of a worker at the jobs that wait in it: they go back after the second one in which none of them moved. */
async function threeLooks(clock: FakeClock): Promise<void> {
  for (let looks = 0; looks < 3; looks += 1) await clock.advance(100);
}

onEachStore(
  'what a claim that is under way brings does not overtake the jobs that go back',
  async ({ t, connectThrough }) => {
    const clock = new FakeClock();
    const answer = new Gate();
    const longshore = await connectThrough(
      (store: Store) => ({
        claim: async (request) => {
          const receipt = await store.claim(request);
          if (receipt.leases.some(({ input }) => input === '"c"')) await answer.wait();
          return receipt;
        },
      }),
      { clock },
    );
    const held = await heldBehindSlow(t, longshore, { behind: ['b'] });
    await held.add(['c', 'd']);
    await answer.reached;
    await threeLooks(clock);
    answer.open();
    await eventually(async () => {
      const { b, c, d } = await held.states();
      return [b, c, d].every((state) => state === 'ready');
    });
    held.gate.open();
    await eventually(() => held.ran.length === 5);
    assert.deepEqual(held.ran, ['quick', SLOW, 'b', 'c', 'd']);
  },
);

onEachStore('no claim is sent before the store has what went back', async ({ t, connectThrough }) => {
  const clock = new FakeClock();
  const settles = new Gate();
  let isHeld = false;
  let claimsMeanwhile = 0;
  const longshore = await connectThrough(
    (store: Store) => ({
      claim: (request) => {
        if (isHeld) claimsMeanwhile += 1;
        return store.claim(request);
      },
      settle: async (settlements, options) => {
        if (settlements.some(({ outcome }) => outcome.type === 'released')) {
          isHeld = true;
          await settles.wait();
          isHeld = false;
        }
        return store.settle(settlements, options);
      },
    }),
    { clock },
  );
  const held = await heldBehindSlow(t, longshore, { behind: ['b'] });
  await threeLooks(clock);
  await settles.reached;
  await held.add(['later']);
  held.gate.open();
  await clock.advance(0);
  assert.equal(claimsMeanwhile, 0);
  settles.open();
  await eventually(() => held.ran.length === 4);
  assert.deepEqual(held.ran, ['quick', SLOW, 'b', 'later']);
});

onEachStore('a cancel makes no worker give jobs back', async ({ t, connect }) => {
  const longshore = await connect({ clock: new FakeClock() });
  const held = await heldBehindSlow(t, longshore, { behind: ['b', 'c', 'd'] });
  const cancelled = nextEvent(longshore, 'job.cancelled');
  await longshore.jobs.cancel(held.id('c'));
  assert.equal((await cancelled).id, held.id('c'));
  held.gate.open();
  await eventually(() => held.worker.tally.completed === 4);
  assert.deepEqual(held.ran, ['quick', SLOW, 'b', 'd']);
  assert.equal(held.worker.tally.released, 0);
});

for (const paused of ['a', '*'])
  onEachStore(`a pause of '${paused}' sends back the jobs of its queue alone`, async ({ t, connect }) => {
    const longshore = await connect({ clock: new FakeClock() });
    const queueOf = (input: string): string => (input.startsWith('a') ? 'a' : 'default');
    const held = await heldBehindSlow(t, longshore, { behind: ['a1', 'b', 'a2'], queueOf });
    const backs = paused === '*' ? ['a1', 'a2', 'b'] : ['a1', 'a2'];
    await longshore.queues.pause(paused);
    await eventually(() => held.worker.tally.released === backs.length);
    const { a1, a2, b } = await held.states();
    assert.deepEqual([a1, a2, b], ['ready', 'ready', paused === '*' ? 'ready' : 'running']);
    held.gate.open();
    await eventually(() => held.worker.tally.completed === 5 - backs.length);
    await longshore.queues.resume(paused);
    await eventually(() => held.worker.tally.completed === 5);
    assert.equal(held.worker.tally.released, backs.length);
  });

onEachStore(
  'a cancel that is heard before the claim that brings its job is not forgotten',
  async ({ connectThrough }) => {
    const clock = new FakeClock();
    const answer = new Gate();
    const longshore = await connectThrough(
      (store: Store) => ({
        claim: async (request) => {
          const receipt = await store.claim(request);
          if (receipt.leases.length > 0) await answer.wait();
          return receipt;
        },
      }),
      { clock },
    );
    const task = defineTask({
      name: 'until-aborted',
      run: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const job = await longshore.enqueue(task, null);
    await longshore.worker({ tasks: [task], leaseMs: 3_600_000 }).start();
    await answer.reached;
    const cancelled = nextEvent(longshore, 'job.cancelled');
    const { requested } = await longshore.jobs.cancel(job.id);
    assert.deepEqual(requested, [job.id]);
    // The worker hears of it while it holds nothing.
    await clock.advance(0);
    answer.open();
    assert.equal((await cancelled).id, job.id);
  },
);
