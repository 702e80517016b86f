import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { defineTask, type Longshore } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, Gate, onEachStore } from '../stage.ts';
import { type Held, heldBehindSlow, SLOW } from './held-jobs.ts';

const BEHIND = Array.from({ length: 100 }, (_, index) => `behind ${index}`);

/** Until the slow job is the only one that the worker has. */
async function goBack(held: Held, clock: FakeClock): Promise<void> {
  await eventually(async () => {
    await clock.advance(100);
    const states = await held.states();
    return states[SLOW] === 'running' && BEHIND.every((input) => states[input] === 'ready');
  });
}

onEachStore(
  'jobs fetched ahead go back when the one before them turns out to be slow',
  async ({ t, connect }) => {
    const clock = new FakeClock();
    const longshore = await connect({ clock });
    const held = await heldBehindSlow(t, longshore, { behind: BEHIND });
    await goBack(held, clock);
    // Another worker gets them while the first one is still at its slow job.
    const other = longshore.worker({ tasks: [held.task], roles: ['processing'] });
    await other.start();
    await eventually(() => other.tally.completed === BEHIND.length);
    held.gate.open();
    await eventually(() => held.worker.tally.completed === 2);
    assert.equal(held.worker.tally.released, BEHIND.length);
    const { jobs } = await longshore.jobs.list({ limit: 1_000 });
    assert.ok(jobs.every(({ attempt }) => attempt === 1));
  },
);

onEachStore(
  'a worker that gave jobs back takes none of them again before its slow one has ended',
  async ({ t, connect }) => {
    const clock = new FakeClock();
    const longshore = await connect({ clock });
    const held = await heldBehindSlow(t, longshore, { behind: BEHIND });
    await goBack(held, clock);
    // Whatever it hears and however often it polls.
    await held.add(['one more']);
    await clock.advance(60_000);
    const { [SLOW]: slow, quick, ...others } = await held.states();
    assert.deepEqual([slow, quick], ['running', 'completed']);
    assert.ok(Object.values(others).every((state) => state === 'ready'));
    held.gate.open();
    await eventually(() => held.worker.tally.completed === BEHIND.length + 3);
    assert.deepEqual(held.ran, ['quick', SLOW, ...BEHIND, 'one more']);
  },
);

onEachStore('of many slots that all turn out slow none takes a waiting job back', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const slots = 100;
  const task = defineTask({ name: 'mixed', run: ({ input }) => (input === 'slow' ? gate.wait() : null) });
  await longshore.enqueueMany(task, [
    ...new Array(600).fill('fast'),
    ...new Array(slots).fill('slow'),
    ...new Array(4).fill('fast'),
  ]);
  const worker = longshore.worker({ tasks: [task], concurrency: slots });
  await worker.start();
  await eventually(async () =>
    isDeepStrictEqual(await counts(longshore), { ready: 4, running: slots, completed: 600 }),
  );
  const other = longshore.worker({ tasks: [task], roles: ['processing'] });
  await other.start();
  await eventually(() => other.tally.completed === 4);
  gate.open();
  await Promise.all([worker.stop(), other.stop()]);
});

async function counts(longshore: Longshore): Promise<{ ready: number; running: number; completed: number }> {
  const [queue] = await longshore.queues.list();
  const { ready = 0, running = 0, completed = 0 } = queue?.counts ?? {};
  return { ready, running, completed };
}
