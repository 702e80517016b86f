/** What the worker makes of answers that a sound engine does not give when it is asked to. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defineTask, SnoozeError } from '../../../src/index.ts';
import { answering } from './answers.ts';
import { workerFor } from './started.ts';

describe('a worker whose engine answers oddly', { timeout: 60_000 }, () => {
  test('keeps a task while a proxy answers 404 to the extension of its lock', async (t) => {
    const engine = await answering(t);
    const { promise: extended, resolve } = Promise.withResolvers<void>();
    const task = defineTask({ name: 'long', run: () => extended });
    let pages = 0;
    engine.answers.extendLock = () => {
      pages += 1;
      return pages > 2 ? { status: 204 } : { status: 404, body: 'default backend - 404' };
    };
    engine.give('1');
    const worker = workerFor(t, { url: engine.url, concurrency: 1, lockMs: 6_000, topics: { topic: task } });
    await worker.start();
    await engine.asked('extendLock', 3);
    resolve();
    await engine.asked('complete');
    await worker.stop();
    assert.deepEqual([worker.tally.completed, worker.tally.lost], [1, 0]);
  });

  test('snoozes a task after an extension of its lock that is under way, so that this does not set its time', async (t) => {
    const engine = await answering(t);
    const { promise: open, resolve: answer } = Promise.withResolvers<void>();
    const { promise: extending, resolve: began } = Promise.withResolvers<void>();
    const order: unknown[] = [];
    engine.answers.extendLock = async ({ newDuration }) => {
      order.push(newDuration);
      began();
      if (newDuration === 3_000) await open;
      order.push(`${newDuration} answered`);
      return { status: 204 };
    };
    const task = defineTask({
      name: 'snoozes',
      run: async () => {
        await extending;
        throw new SnoozeError(7_777);
      },
    });
    engine.give('1');
    const worker = workerFor(t, { url: engine.url, concurrency: 1, lockMs: 3_000, topics: { topic: task } });
    const snoozed = new Promise((resolve) => void worker.on('job.snoozed', resolve));
    await worker.start();
    await snoozed;
    // Time enough for a report that does not wait.
    for (let turn = 0; turn < 20; turn += 1) await (await fetch(`${engine.url}/version`)).text();
    answer();
    await engine.asked('extendLock answered', 2);
    assert.deepEqual(order, [3_000, '3000 answered', 7_777, '7777 answered']);
  });

  test('extends a lock with a new token while its only slot is taken', async (t) => {
    const engine = await answering(t);
    const { promise: extended, resolve } = Promise.withResolvers<void>();
    const task = defineTask({ name: 'long', run: () => extended });
    let asked = 0;
    const token = (): string => {
      asked += 1;
      return String(asked);
    };
    engine.give('1');
    const options = { url: engine.url, concurrency: 1, lockMs: 3_000, auth: { token } };
    const worker = workerFor(t, { ...options, topics: { topic: task } });
    await worker.start();
    await engine.asked('extendLock', 1);
    const before = asked;
    await engine.asked('extendLock', 4);
    assert.ok(asked > before);
    resolve();
    await worker.stop();
  });

  test('tells a failure again that the engine cannot take, and says what it refused', async (t) => {
    const engine = await answering(t);
    const said: string[] = [];
    const say = (_facts: object, text: string): void => void said.push(text);
    const logger = { error: say, warn: say, info: say, debug: () => undefined };
    engine.answers.complete = () => ({
      status: 500,
      body: { type: 'RestException', message: 'no database' },
    });
    let failures = 0;
    engine.answers.failure = () => {
      failures += 1;
      return failures > 1
        ? { status: 204 }
        : { status: 500, body: { type: 'RestException', message: 'no database' } };
    };
    engine.give('1');
    const task = defineTask({ name: 'quick', run: () => null });
    const worker = workerFor(t, { url: engine.url, concurrency: 1, logger, topics: { topic: task } });
    await worker.start();
    await engine.asked('failure answered', 2);
    await worker.stop();
    assert.deepEqual([worker.tally.lost, worker.tally.retried], [0, 1]);
    assert.match(said.join('\n'), /answers complete with 500, "no database"/);
    assert.equal(worker.health().trouble, null);
  });

  test('is not asked in a loop where fetches do not wait', async (t) => {
    const engine = await answering(t);
    const task = defineTask({ name: 'quick', run: () => null });
    const worker = workerFor(t, { url: engine.url, pollMs: 0, topics: { topic: task } });
    const beganAt = performance.now();
    await Promise.all([worker.start(), worker.start()]);
    await engine.asked('fetchAndLock answered');
    for (let turn = 0; turn < 50; turn += 1) await (await fetch(`${engine.url}/version`)).text();
    // One a second, and the first.
    const most = Math.floor((performance.now() - beganAt) / 1_000) + 2;
    assert.ok(engine.log.filter((path) => path === 'fetchAndLock').length <= most);
    assert.throws(() => worker.stop({ graceMs: -1 }), { code: 'OPTION_INVALID' });
    assert.equal(worker.health().started, true);
  });
});
