import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { newId } from '../../../src/core/ids.ts';
import { memoryDriver } from '../../../src/store/memory/index.ts';
import type { JobSpec, KeepAliveOptions, Store } from '../../../src/store/store.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const spec = (): JobSpec => ({
  id: newId(),
  queue: 'q',
  task: 'task',
  priority: 0,
  input: null,
  attemptsMax: 3,
  delayMs: 0,
  dueAt: null,
  unique: null,
  key: null,
});

const keepAliveOptions = (intervalMs: number, leaseMs: number, onBeat = () => {}): KeepAliveOptions => ({
  worker: { id: 'w1', host: 'host', pid: 1, version: '1.0.0', tasks: [], queues: [], startedAt: 0 },
  intervalMs,
  leaseMs,
  onBeat,
  onError: (error) => assert.fail(String(error)),
});

async function startJob(store: Store, leaseMs: number): Promise<string> {
  const job = spec();
  await store.enqueue([job]);
  const { leases } = await store.claim({ workerId: 'w1', queues: ['q'], limit: 1, leaseMs });
  assert.equal(leases[0]?.id, job.id);
  return job.id;
}

test('each open() has a store of its own', async () => {
  const [one, other] = [await memoryDriver.open('memory:', {}), await memoryDriver.open('memory:', {})];
  await one.enqueue([spec()]);
  assert.deepEqual(await other.queues(), []);
});

test('only memory: is taken for a URL', async () => {
  for (const url of ['memory', 'memory:x', 'memory://', 'sqlite:x.db', '']) {
    const refused = { code: 'STORE_URL_INVALID', message: /expected memory:/ };
    await assert.rejects(memoryDriver.open(url, {}), refused);
    await assert.rejects(memoryDriver.migrate(url, { dryRun: true }), refused);
    await assert.rejects(memoryDriver.doctor(url), refused);
  }
});

test('there is nothing to migrate and nothing to mend', async () => {
  assert.deepEqual((await memoryDriver.migrate('memory:', { dryRun: false })).steps, []);
  assert.ok(
    (await memoryDriver.doctor('memory:')).every(({ level, remedy }) => level === 'ok' && remedy === null),
  );
});

test('a handler that blocks the loop for longer than its lease does not lose it', async () => {
  const store = await memoryDriver.open('memory:', {});
  const id = await startJob(store, 40);
  const keepAlive = store.keepAlive(keepAliveOptions(10, 40));
  const reaping = new Promise<Awaited<ReturnType<Store['reap']>>>((resolve, reject) => {
    setTimeout(() => store.reap().then(resolve, reject), 1);
  });
  const until = performance.now() + 120;
  while (performance.now() < until);
  assert.deepEqual(await reaping, { reaped: [] });
  assert.equal((await store.get([id]))[0]?.state, 'running');
  await keepAlive.close();
  await store.close();
});

test("beats go by the store's clock where it was given one", async () => {
  const clock = new FakeClock(0);
  const store = await memoryDriver.open('memory:', { clock });
  let beats = 0;
  const keepAlive = store.keepAlive(keepAliveOptions(1_000, 3_000, () => (beats += 1)));
  const id = await startJob(store, 3_000);
  await clock.advance(60_000);
  assert.equal(beats, 60);
  assert.deepEqual(await store.reap(), { reaped: [] });
  await keepAlive.close();
  assert.equal(clock.pending, 0);
  await clock.advance(3_000);
  assert.deepEqual(
    (await store.reap()).reaped.map((job) => job.id),
    [id],
  );
});

test('an open store, its beats and its listeners let the process end', async () => {
  const program = `
    import { memoryDriver } from ${JSON.stringify(new URL('../../../src/store/memory/index.ts', import.meta.url).href)};
    const store = await memoryDriver.open('memory:', {});
    store.notifier.subscribe('ready', () => {});
    store.keepAlive({
      worker: { id: 'w', host: 'h', pid: 1, version: '1', tasks: [], queues: [], startedAt: 0 },
      leaseMs: 600_000, intervalMs: 300_000, onBeat() {}, onError() {},
    });
    await store.enqueue([]);
    console.log('done');
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program],
    { timeout: 60_000 },
  );
  assert.equal(stdout.trim(), 'done');
});

test('100,000 jobs come and go in the order of their priorities', async () => {
  const store = await memoryDriver.open('memory:', {});
  const specs = Array.from({ length: 100_000 }, (_, index) => ({ ...spec(), priority: index % 5 }));
  await store.enqueue(specs);
  let last = -1;
  let taken = 0;
  for (;;) {
    const { leases } = await store.claim({ workerId: 'w1', queues: ['q'], limit: 1_000, leaseMs: 60_000 });
    if (leases.length === 0) break;
    for (const { priority } of leases) {
      assert.ok(priority >= last);
      last = priority;
    }
    taken += leases.length;
    const outcome = { type: 'completed', result: null } as const;
    await store.settle(leases.map(({ id, token }) => ({ id, token, outcome })));
  }
  assert.equal(taken, 100_000);
  assert.equal((await store.queues())[0]?.counts.completed, 100_000);
});
