import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { defineTask } from '../../../src/index.ts';
import { TcpProxy } from '../../proxy.ts';
import { type Engine, engineFor, type Process } from './server.ts';
import { workerFor } from './started.ts';
import { until } from './until.ts';

/** Longer than a test: nothing in it may wait for such a lock. */
const LONG_MS = 3_600_000;

describe('locks of external tasks', { timeout: 300_000 }, () => {
  test('a lock is extended while the handler holds the event loop', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const task = defineTask({
      name: 'compute',
      run: ({ id }) => {
        const url = `${engine.url}/external-task/${id}`;
        const first = lockedUntil(url);
        let looks = 1;
        while (lockedUntil(url) === first) looks += 1;
        return { looks };
      },
    });
    const worker = workerFor(t, { url: engine.url, lockMs: 6_000, topics: { [process.topic]: task } });
    await worker.start();
    await process.start();
    await until(async () => (await process.ended('end')) === 1);
    await until(async () => worker.tally.completed === 1);
  });

  test('a handler whose lock is lost is told by its signal, and its end is not', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const aborted = Promise.withResolvers<string>();
    const task = defineTask({
      name: 'slow',
      run: async ({ signal, id }) => {
        await takeAway(engine, process, id);
        // The keeper may have heard of it meanwhile.
        if (!signal.aborted) await once(signal, 'abort');
        aborted.resolve(signal.reason.code);
      },
    });
    // With one slot it fetches nothing while its handler runs, so that the thief has no rival.
    const options = { url: engine.url, lockMs: 500, concurrency: 1, topics: { [process.topic]: task } };
    const worker = workerFor(t, options);
    await worker.start();
    await process.start();
    assert.equal(await aborted.promise, 'LEASE_LOST');
    await until(async () => worker.tally.lost === 1);
    assert.deepEqual([(await process.tasks()).length, await process.ended('end')], [1, 0]);
  });

  test('the end of a task that another worker holds is refused, told and counted', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const said: string[] = [];
    const say = (_facts: object, text: string): void => void said.push(text);
    const quiet = (): void => undefined;
    const task = defineTask({ name: 'late', run: ({ id }) => takeAway(engine, process, id) });
    const worker = workerFor(t, {
      url: engine.url,
      lockMs: LONG_MS,
      concurrency: 1,
      topics: { [process.topic]: task },
      logger: { error: quiet, warn: say, info: quiet, debug: quiet },
    });
    await worker.start();
    await process.start();
    await until(async () => worker.tally.lost === 1);
    assert.match(
      said.join('\n'),
      /external task \S+ of topic \S+ lost its lock; the outcome 'completed' was refused/,
    );
    assert.equal(await process.ended('end'), 0);
  });

  test('a stop gives back what did not end, and what its last fetch brings', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const running = Promise.withResolvers<void>();
    const task = defineTask({
      name: 'endless',
      run: ({ signal }) => {
        running.resolve();
        return once(signal, 'abort').then(() => Promise.reject(signal.reason));
      },
    });
    const worker = workerFor(t, {
      url: engine.url,
      lockMs: LONG_MS,
      concurrency: 2,
      topics: { [process.topic]: task },
    });
    await worker.start();
    await process.start();
    await running.promise;
    // One slot is free, so a fetch is open.
    const stopped = worker.stop({ graceMs: 1_500 });
    await process.start();
    await stopped;
    const tasks = await process.tasks();
    assert.equal(tasks.length, 2);
    assert.deepEqual(
      tasks.map(({ workerId, retries }) => ({ workerId, retries })),
      [
        { workerId: null, retries: null },
        { workerId: null, retries: null },
      ],
    );
  });

  test('tasks that a fetch locked, whose answer never came, are unlocked', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const proxy = await TcpProxy.start(t, engine.url);
    const lockers: (string | null)[] = [];
    proxy.spoils = (data) => {
      if (!data.includes(`"topicName":"${process.topic}"`) || lockers.length > 0) return data;
      lockers.push('lost');
      proxy.cut();
      return Buffer.alloc(0);
    };
    const task = defineTask({ name: 'found', run: () => null });
    const worker = workerFor(t, {
      url: proxy.through(engine.url),
      lockMs: LONG_MS,
      topics: { [process.topic]: task },
    });
    await process.start();
    await worker.start();
    await until(async () => (await process.ended('end')) === 1);
    assert.deepEqual(lockers, ['lost']);
    await until(async () => worker.tally.completed === 1);
  });

  test('a completion whose answer never came is told again, and counts as unconfirmed', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const proxy = await TcpProxy.start(t, engine.url);
    let cuts = 0;
    proxy.onSaid = (link, data) => {
      if (!data.includes('/complete') || cuts > 0) return;
      cuts += 1;
      link.deafen();
      // The engine has it by then.
      until(async () => (await process.ended('end')) === 1).then(() => link.cut());
    };
    const task = defineTask({ name: 'once', run: () => null });
    const worker = workerFor(t, { url: proxy.through(engine.url), topics: { [process.topic]: task } });
    await worker.start();
    await process.start();
    await until(async () => worker.tally.unconfirmed === 1);
    assert.equal(await process.ended('end'), 1);
    assert.equal(cuts, 1);
  });
});

/** The handler holds its event loop meanwhile: it asks from another process. */
function lockedUntil(url: string): string {
  const look = `fetch(${JSON.stringify(url)}).then((r) => r.json()).then((t) => console.log(t.lockExpirationTime))`;
  return execFileSync(process.execPath, ['-e', look], { encoding: 'utf8' });
}

/** As the engine does when a lock ends and another worker fetches. */
async function takeAway(engine: Engine, process: Process, id: string): Promise<void> {
  await engine.call('POST', `/external-task/${id}/unlock`);
  await engine.call('POST', '/external-task/fetchAndLock', {
    workerId: 'thief',
    maxTasks: 1,
    topics: [{ topicName: process.topic, lockDuration: LONG_MS }],
  });
}
