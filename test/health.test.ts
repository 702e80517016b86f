import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { defineTask, LongshoreError } from '../src/index.ts';
import type { Store } from '../src/store/store.ts';
import { tellUnheard } from '../src/telemetry/unheard.ts';
import { FakeClock } from '../src/testing/index.ts';
import { eventually, Gate, nextEvent, onEachStore } from './stage.ts';

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
    { id: worker.id, ok: true, started: true, running: 0, claim: null, beat: null, settle: null },
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

onEachStore(
  'a worker whose outcomes are not taken is not healthy, for whatever reason, until they are',
  async ({ connectThrough, t }) => {
    const lines = errorLines(t);
    let broken = true;
    const wrap = (store: Store): Partial<Store> => ({
      settle: async (settlements, options) => {
        if (broken) throw new TypeError('settlements.pack is not a function');
        return store.settle(settlements, options);
      },
    });
    const longshore = await connectThrough(wrap, { log: tellUnheard });
    await longshore.worker({ tasks: [task] }).start();
    const job = await longshore.enqueue(task, 1);
    await eventually(async () => !(await longshore.health()).ok);
    const [worker] = (await longshore.health()).workers;
    assert.deepEqual([worker?.ok, worker?.claim, worker?.beat], [false, null, null]);
    assert.equal(worker?.settle?.code, 'STORE_FAILED');
    assert.equal(worker?.settle?.message, 'settlements.pack is not a function');
    assert.deepEqual(lines, [
      'longshore: settle failed: settlements.pack is not a function (STORE_FAILED)\n',
    ]);
    broken = false;
    await job.ended();
    await eventually(async () => (await longshore.health()).ok);
  },
);

onEachStore(
  'a worker that cannot read what it claimed is not healthy before it has read some',
  async ({ connectThrough, t }) => {
    const lines = errorLines(t);
    let broken = true;
    const wrap = (store: Store): Partial<Store> => ({
      claim: async (request) => {
        const receipt = await store.claim(request);
        return broken && receipt.leases.length > 0 ? ({ packed: 1 } as never) : receipt;
      },
    });
    const longshore = await connectThrough(wrap, { log: tellUnheard });
    const lost = await longshore.enqueue(task, 1);
    const worker = longshore.worker({ tasks: [task], pollMs: 20 });
    await assert.rejects(worker.runUntilIdle(), {
      code: 'STORE_FAILED',
      message: /^A claim failed in Longshore itself: /,
    });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^longshore: claim failed: .* \(STORE_FAILED\)\n$/);
    // The end of that run gave the job back.
    await worker.start();
    await eventually(() => worker.health().claim !== null);
    const empty = nextEvent(longshore, 'worker.claimed', ({ jobs }) => jobs === 0);
    await empty;
    assert.equal((await longshore.health()).ok, false);
    broken = false;
    const job = await longshore.enqueue(task, 2);
    assert.equal(await job.result(), 2);
    assert.equal((await longshore.health()).ok, true);
    await worker.stop();
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.equal(await lost.result(), 1);
  },
);

onEachStore('an outage is told by events alone, and nothing where they are heard', async (stage) => {
  const lines = errorLines(stage.t);
  for (const [error, heard] of [
    [new LongshoreError('STORE_UNAVAILABLE', 'The server is away.'), false],
    [new TypeError('It is not iterable.'), true],
  ] as const) {
    const wrap = (): Partial<Store> => ({ claim: () => Promise.reject(error) });
    const longshore = await stage.connectThrough(wrap, { log: tellUnheard });
    if (heard) longshore.on('store.failed', () => undefined);
    const worker = longshore.worker({ tasks: [task] });
    await worker.start();
    await eventually(() => worker.health().claim !== null);
    await worker.stop();
  }
  assert.deepEqual(lines, []);
});

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

/** What is written to standard error from now on, by write. */
function errorLines(t: TestContext): readonly string[] {
  const lines: string[] = [];
  t.mock.method(process.stderr, 'write', (text: string) => {
    // Node's own warnings come this way, too.
    if (text.startsWith('longshore: ')) lines.push(text);
    return true;
  });
  return lines;
}
