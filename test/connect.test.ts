import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, defineTask } from '../src/index.ts';
import { onEachStore } from './stage.ts';

const REFUSED: readonly [unknown, RegExp][] = [
  ['', /The store URL is ""; expected one that starts with memory:, sqlite:/],
  [undefined, /The store URL is undefined/],
  [42, /The store URL is 42/],
  ['jobs.db', /The store URL is "jobs\.db"/],
  ['///', /The store URL is/],
  ['constructor:x', /no store of kind "constructor"/],
  ['mysql://localhost/jobs', /no store of kind "mysql"; this version knows memory:, sqlite:/],
  ['memory:shared', /expected memory: and nothing after it/],
  ['sqlite:', /names no file/],
  ['sqlite::memory:', /use memory: as the store URL/],
];

for (const [url, message] of REFUSED) {
  test(`connect refuses the URL ${String(JSON.stringify(url))} and says what it expected`, async () => {
    await assert.rejects(connect(url as string), { code: 'STORE_URL_INVALID', message });
  });
}

test('connect refuses a payload limit that is none', async () => {
  for (const payloadBytesMax of [0, -1, 1.5, Number.NaN])
    await assert.rejects(connect('memory:', { payloadBytesMax }), {
      code: 'OPTION_INVALID',
      message: /payloadBytesMax/,
    });
});

test('connect refuses a client where the store borrows none, and what is no pool', async () => {
  for (const [url, client, message] of [
    ['memory:', {}, /^client is an object \(Object\); expected to be left out: only a postgres: store/],
    ['redis://127.0.0.1:1', {}, /only a postgres: store borrows a pool/],
    ['postgres://127.0.0.1:1/none', { connect: () => {} }, /expected a Pool of the package pg/],
  ] as const)
    await assert.rejects(connect(url, { client }), { code: 'OPTION_INVALID', message });
});

onEachStore(
  'close stops the workers, is idempotent, and later calls say that the store was closed',
  async ({ connect: open }) => {
    const longshore = await open();
    const task = defineTask({ name: 'task', run: () => undefined });
    const worker = longshore.worker({ tasks: [task] });
    await worker.start();
    const closing = longshore.close();
    assert.equal(longshore.close(), closing);
    await closing;
    await longshore.close();
    assert.equal(worker.isProcessing, false);
    const closed = { code: 'STORE_CLOSED' };
    await assert.rejects(longshore.enqueue(task, null), closed);
    await assert.rejects(longshore.enqueueMany(task, [1]), closed);
    await assert.rejects(longshore.jobs.get('x'), closed);
    await assert.rejects(longshore.jobs.list(), closed);
    await assert.rejects(longshore.jobs.cancel('x'), closed);
    await assert.rejects(longshore.queues.list(), closed);
    await assert.rejects(longshore.queues.pause('x'), closed);
    await assert.rejects(longshore.workers(), closed);
    await assert.rejects(worker.start(), closed);
    await assert.rejects(longshore.worker({ tasks: [task] }).runOnce(), closed);
  },
);

onEachStore('a worker whose end fails does not keep the store open', async ({ connectThrough }) => {
  let closed = false;
  const longshore = await connectThrough((store) => ({
    keepAlive: (options) => {
      const inner = store.keepAlive(options);
      return {
        update: (load) => inner.update(load),
        beat: () => inner.beat(),
        close: async () => {
          await inner.close();
          throw new Error('it would not end');
        },
      };
    },
    close: async () => {
      await store.close();
      closed = true;
    },
  }));
  const task = defineTask({ name: 'task', run: () => undefined });
  const worker = longshore.worker({ tasks: [task] });
  await worker.start();
  await longshore.close();
  assert.equal(closed, true);
  assert.equal(worker.isProcessing, false);
  await worker.stop();
});

onEachStore('disposing of the connection, as `await using` does, closes it', async ({ url }) => {
  const longshore = await connect(url);
  await longshore.enqueue('task', 1);
  await longshore[Symbol.asyncDispose]();
  await assert.rejects(longshore.enqueue('task', 2), { code: 'STORE_CLOSED' });
});
