import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { Keeper, type KeeperOptions } from '../../src/engine/keeper.ts';
import { defineTask, type LongshoreError } from '../../src/index.ts';
import { type Asked, type LockServer, startLockServer } from './lock-server.ts';
import { startedRunner, workOf } from './started-runner.ts';

/** A keeper of locks on a server of its own; both end with the test. */
async function keeping(
  t: TestContext,
  options: Partial<KeeperOptions> = {},
): Promise<{ keeper: Keeper; server: LockServer }> {
  const server = await startLockServer();
  const url = `http://127.0.0.1:${server.port}/locks/{id}/extend`;
  const keeper = new Keeper({ method: 'POST', url, ...options });
  t.after(async () => {
    await keeper.close();
    await server.close();
  });
  return { keeper, server };
}

function nextAsked(server: LockServer, fits: (asked: Asked) => boolean = () => true): Promise<Asked> {
  return new Promise((resolve) => {
    server.onAsked = (asked) => {
      if (fits(asked)) resolve(asked);
    };
  });
}

test('a lock is renewed while the event loop of the program is held', async (t) => {
  const { keeper, server } = await keeping(t, {
    headers: { authorization: 'Basic x' },
    body: '{"newDuration":1}',
  });
  const asked = nextAsked(server);
  const held = keeper.hold('a b/c', { intervalMs: 20 });
  await null; // No handler starts sooner.
  while (server.requests < 4); // Holds the event loop.
  held.release();
  assert.deepEqual(await asked, {
    method: 'POST',
    url: '/locks/a%20b%2Fc/extend',
    authorization: 'Basic x',
    body: '{"newDuration":1}',
  });
  assert.equal(held.signal.aborted, false);
});

test('a lock is renewed whose interval is no whole number', async (t) => {
  const troubled = Promise.withResolvers<never>();
  const { keeper, server } = await keeping(t, { onTrouble: troubled.reject });
  const asked = nextAsked(server);
  keeper.hold('1', { intervalMs: 5_000 / 3, firstMs: 0 });
  assert.equal((await Promise.race([asked, troubled.promise])).url, '/locks/1/extend');
});

test('work whose lock is lost ends as lost, and its handler is stopped', async (t) => {
  const { keeper, server } = await keeping(t);
  const waits = defineTask({
    name: 'waits',
    run: ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  });
  const runner = startedRunner(t, { tasks: [waits] });
  const held = keeper.hold('1', { intervalMs: 10 });
  const ended = runner.run(workOf(waits, null, { signal: held.signal }));
  await nextAsked(server);
  server.status = 404;
  assert.deepEqual(await ended, { state: 'lost' });
  const { code, message } = held.signal.reason as LongshoreError;
  assert.deepEqual(
    [code, message],
    ['LEASE_LOST', 'The engine no longer knows the lock on 1: it answered 404'],
  );
});

test('many locks are renewed over a few connections', async (t) => {
  const { keeper, server } = await keeping(t, { requestsMax: 3 });
  const seen = new Set<string>();
  const all = nextAsked(server, ({ url }) => seen.add(url).size === 100);
  for (let number = 0; number < 100; number += 1) keeper.hold(String(number), { intervalMs: 50 });
  await all;
  assert.ok(server.most <= 3, `${server.most} at a time`);
});

test('a lock that was let go of is renewed no more, although others are', async (t) => {
  const { keeper, server } = await keeping(t);
  const first = keeper.hold('1', { intervalMs: 10 });
  await nextAsked(server, ({ url }) => url.includes('/1/'));
  first.release();
  // Goes with the release.
  keeper.hold('2', { intervalMs: 10 });
  const others: string[] = [];
  await nextAsked(
    server,
    ({ url }) => others.push(url) > 0 && others.filter((one) => one.includes('/2/')).length === 5,
  );
  // One renewal of the first may have been under way.
  assert.ok(others.filter((one) => one.includes('/1/')).length <= 1, others.join(' '));
});

test('trouble is told with its cause, and its end; the lock is kept', async (t) => {
  const troubles: LongshoreError[] = [];
  const { promise: well, resolve } = Promise.withResolvers<void>();
  let onTrouble = (): void => undefined;
  const { keeper, server } = await keeping(t, {
    onTrouble: (error) => {
      troubles.push(error);
      onTrouble();
    },
    onWell: resolve,
  });
  const next = (): Promise<void> =>
    new Promise((told) => {
      onTrouble = told;
    });
  server.status = 503;
  const busy = next();
  const held = keeper.hold('7', { intervalMs: 10 });
  await busy;
  assert.equal(troubles.at(-1)?.code, 'ENGINE_UNAVAILABLE');
  assert.match(
    troubles.at(-1)?.message ?? '',
    /A lock was not renewed: POST http.*\/locks\/\{id\}\/extend was answered 503\. It is tried again in \d+ ms/,
  );
  server.status = 401;
  while (troubles.at(-1)?.code !== 'ENGINE_REFUSED') await next();
  keeper.setHeaders({ authorization: 'Bearer new' });
  const renewed = nextAsked(server, ({ authorization }) => authorization === 'Bearer new');
  server.status = 204;
  await Promise.all([renewed, well]);
  assert.equal(held.signal.aborted, false);
});

test('a server that is away costs no lock, and is found again', async (t) => {
  const { promise: trouble, resolve } = Promise.withResolvers<LongshoreError>();
  const { keeper, server } = await keeping(t, { onTrouble: resolve });
  await server.close();
  const held = keeper.hold('7', { intervalMs: 10 });
  const { code, message } = await trouble;
  assert.equal(code, 'ENGINE_UNAVAILABLE');
  assert.match(message, /was not answered: .*ECONN/);
  assert.equal(held.signal.aborted, false);
});

test('a thread that died is replaced, and renews what is held', async (t) => {
  const { keeper, server } = await keeping(t);
  const started = once(process, 'worker');
  keeper.hold('7', { intervalMs: 10 });
  const [thread] = (await started) as [Worker];
  await nextAsked(server);
  await thread.terminate();
  await nextAsked(server);
});

test('bad options are named', () => {
  assert.throws(
    () => new Keeper({ method: 'POST', url: 'http://x/locks' }),
    /url is "http:\/\/x\/locks"; expected an http/,
  );
  assert.throws(() => new Keeper({ method: 'POST', url: 'ftp://x/{id}' }), /expected an http/);
  const keeper = new Keeper({ method: 'POST', url: 'http://127.0.0.1:1/{id}' });
  assert.throws(() => keeper.hold('1', { intervalMs: 0 }), /intervalMs is 0/);
});
