import assert from 'node:assert/strict';
import { defineTask, LongshoreError } from '../src/index.ts';
import { FakeClock } from '../src/testing/index.ts';
import { eventually, Gate, onEachStore } from './stage.ts';

const task = defineTask({ name: 'task', run: ({ input }) => input });

onEachStore('health is ok while the store answers and workers work', async ({ connect }) => {
  const longshore = await connect();
  const worker = longshore.worker({ tasks: [task] });
  const before = await longshore.health();
  assert.deepEqual([before.ok, before.store.ok, before.workers], [true, true, []]);
  await worker.start();
  const { ok, workers } = await longshore.health();
  assert.equal(ok, true);
  assert.deepEqual(workers, [
    { id: worker.id, ok: true, started: true, running: 0, claim: null, beat: null },
  ]);
  await worker.stop();
  assert.deepEqual((await longshore.health()).workers, []);
});

onEachStore(
  'health tells that claims fail, since when and why, and that they succeed again',
  async ({ connectThrough }) => {
    let away = false;
    const longshore = await connectThrough((store) => ({
      claim: (request) =>
        away
          ? Promise.reject(new LongshoreError('STORE_UNAVAILABLE', 'The server is away.'))
          : store.claim(request),
    }));
    const worker = longshore.worker({ tasks: [task] });
    await worker.start();
    away = true;
    const from = Date.now();
    const job = await longshore.enqueue(task, 1);
    await eventually(async () => !(await longshore.health()).ok);
    const { store, workers } = await longshore.health();
    assert.equal(store.ok, true);
    assert.equal(workers[0]?.claim?.code, 'STORE_UNAVAILABLE');
    assert.equal(workers[0]?.claim?.message, 'The server is away.');
    assert.ok((workers[0]?.claim?.since ?? 0) >= from);
    away = false;
    assert.equal(await job.result(), 1);
    assert.equal((await longshore.health()).ok, true);
  },
);

onEachStore('health does not wait for a store that hangs', async ({ connectThrough }) => {
  const clock = new FakeClock();
  const gate = new Gate();
  const longshore = await connectThrough(
    (store) => ({
      get: async (ids) => {
        await gate.wait();
        return store.get(ids);
      },
    }),
    { clock },
  );
  const asked = longshore.health({ timeoutMs: 500 });
  await gate.reached;
  await clock.advance(500);
  const { ok, store } = await asked;
  assert.equal(ok, false);
  assert.equal(store.trouble?.code, 'STORE_UNAVAILABLE');
  assert.match(store.trouble?.message ?? '', /within 500 ms/);
  gate.open();
});

onEachStore('health of a closed connection says so', async ({ connect }) => {
  const longshore = await connect();
  await longshore.close();
  const { ok, store } = await longshore.health();
  assert.deepEqual([ok, store.trouble?.code], [false, 'STORE_CLOSED']);
});

onEachStore('health refuses a timeout that is none', async ({ connect }) => {
  const longshore = await connect();
  await assert.rejects(longshore.health({ timeoutMs: 0 }), { code: 'OPTION_INVALID' });
});
