import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient } from '@redis/client';
import fc from 'fast-check';
import { startRedis } from '../../../setup/services/index.mjs';
import { newId } from '../../../src/core/ids.ts';
import { settle as rule } from '../../../src/core/settle-rule.ts';
import { redisDriver } from '../../../src/store/redis/index.ts';
import { scriptNames, scriptOf } from '../../../src/store/redis/script-text.ts';
import type { JobSpec, Lease, Store } from '../../../src/store/store.ts';
import { claimRequest, spec } from './specs.ts';

const T0 = Date.UTC(2026, 0, 1);

/** A server of the test's own, what was asked of it, and a store. */
async function open(t: TestContext) {
  const server = await startRedis();
  const client = createClient({ url: server.url });
  await client.connect();
  const store = await redisDriver.open(server.url, {});
  t.after(async () => {
    await store.close();
    client.destroy();
    await server.stop();
  });
  /** Calls of a command by clients since the last time. */
  const calls = async (command: string): Promise<number> => {
    const text = String(await client.sendCommand(['INFO', 'commandstats']));
    await client.sendCommand(['CONFIG', 'RESETSTAT']);
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(text)?.[1] ?? 0);
  };
  return { store, client, calls };
}

const completed = (result: string | null) => ({ type: 'completed', result }) as const;

test('a batch of any size is one call of one script', async (t) => {
  const { store, calls } = await open(t);
  const specs = Array.from({ length: 700 }, () => spec());
  // The first call of a script sends its text.
  await store.enqueue([spec()]);
  await store.settle(
    (await store.claim(claimRequest())).leases.map((lease) => ({ ...lease, outcome: completed(null) })),
  );
  await calls('evalsha');
  await store.enqueue(specs);
  assert.equal(await calls('evalsha'), 1);
  const { leases } = await store.claim(claimRequest());
  assert.equal(leases.length, 700);
  assert.equal(await calls('evalsha'), 1);
  const receipts = await store.settle(
    leases.map(({ id, token }) => ({ id, token, outcome: completed('1') })),
  );
  assert.equal(await calls('evalsha'), 1);
  assert.ok(receipts.every(({ status }) => status === 'settled'));
});

test('single enqueues of one tick are one call of one script', async (t) => {
  const { store, calls } = await open(t);
  await store.enqueue([spec()]);
  await calls('evalsha');
  const specs = Array.from({ length: 300 }, () => spec());
  const receipts = await Promise.all(specs.map((one) => store.enqueue([one])));
  assert.equal(await calls('evalsha'), 1);
  assert.deepEqual(
    receipts.map(([receipt]) => receipt?.id),
    specs.map(({ id }) => id),
  );
});

test('a claim reads and writes jobs many at a time', async (t) => {
  const { store, calls } = await open(t);
  await store.enqueue(Array.from({ length: 1_000 }, () => spec()));
  await calls('hset');
  assert.equal((await store.claim(claimRequest())).leases.length, 1_000);
  // Of the jobs, their batch, how many of it live, and what completing it whole takes.
  assert.equal(await calls('hset'), 4);
});

test('a beat reads no records of batches that are as they were claimed, and those of others', async (t) => {
  const { store, calls } = await open(t);
  await store.enqueue(Array.from({ length: 500 }, () => spec()));
  const { leases } = await store.claim(claimRequest());
  await store.enqueue(Array.from({ length: 3 }, () => spec()));
  const [asked, ...others] = (await store.claim(claimRequest())).leases;
  assert.ok(asked);
  await store.control([{ type: 'cancel', id: asked.id, by: 'ada', why: null }]);
  const worker = { id: 'w1', host: 'h', pid: 1, version: '1', tasks: [], queues: [], startedAt: 1 };
  const load = { slots: 1, slotsUsed: 1, profiles: [] };
  await calls('hget');
  const { held, cancelled } = await store.beat({ worker, load, leaseMs: 60_000 });
  const reads = await calls('hget');
  assert.ok(reads > 3 && reads < 100, `${reads} reads`);
  assert.deepEqual([...held].sort(), [...leases, asked, ...others].map(({ id }) => id).sort());
  assert.deepEqual(cancelled, [asked.id]);
});

test('scripts that the server forgot are sent again', async (t) => {
  const { store, client } = await open(t);
  await store.enqueue([spec()]);
  await client.sendCommand(['SCRIPT', 'FLUSH']);
  await store.enqueue([spec()]);
  assert.equal((await store.claim(claimRequest())).leases.length, 2);
});

test('calls of one tick apply in their order on a server that knows only the script of the last', async (t) => {
  const { store, client } = await open(t);
  await client.sendCommand(['SCRIPT', 'LOAD', scriptOf('claim').text]);
  const [, { leases }] = await Promise.all([store.enqueue([spec()]), store.claim(claimRequest())]);
  assert.equal(leases.length, 1);
});

test('a script goes to the server without functions it does not use and names of numbers', async (t) => {
  const { client } = await open(t);
  for (const name of scriptNames()) {
    const { text } = scriptOf(name);
    for (const [, used] of text.matchAll(/^local function (\w+)/gm))
      assert.ok((text.match(new RegExp(`\\b${used}\\b`, 'g'))?.length ?? 0) > 1, `${name}: ${used}`);
    assert.doesNotMatch(text, /\b(READY|COMPLETED|INPUT)\b/, name);
    // It also is a program.
    assert.match(String(await client.sendCommand(['SCRIPT', 'LOAD', text])), /^[0-9a-f]{40}$/);
  }
});

test('the line passes over thousands of jobs that left it, a bounded number a claim', async (t) => {
  const { store } = await open(t);
  const specs = Array.from({ length: 5_000 }, () => spec());
  await store.enqueue(specs, { now: T0 });
  await store.control(
    specs.map(({ id }) => ({ type: 'cancel', id, by: 'test', why: null })),
    { now: T0 },
  );
  const last = spec();
  await store.enqueue([last], { now: T0 });
  const found: string[] = [];
  let claims = 0;
  for (; found.length === 0; claims += 1) {
    const { leases, nextDueAt } = await store.claim(claimRequest({ limit: 1, now: T0 }));
    found.push(...leases.map(({ id }) => id));
    // It says that there may be more at once.
    if (leases.length === 0) assert.equal(nextDueAt, T0);
  }
  assert.deepEqual(found, [last.id]);
  assert.ok(claims > 1 && claims <= 5, `it took ${claims} claims`);
});

test('completions and other outcomes of one call apply in their order', async (t) => {
  const { store } = await open(t);
  const ids = [...Array.from({ length: 5 }, () => newId()), 'named by its caller'];
  await store.enqueue(ids.map((id) => spec({ id, input: '1' })));
  const [a, b, c, d, e, named] = [
    ...(await store.claim(claimRequest({ limit: 2 }))).leases,
    ...(await store.claim(claimRequest())).leases,
  ].map(({ id, token }) => ({ id, token })) as [Held, Held, Held, Held, Held, Held];
  const released = { type: 'released' } as const;
  const receipts = await store.settle([
    { ...a, outcome: completed('"a"') },
    { ...a, outcome: released },
    { ...c, outcome: completed(null) },
    { ...b, outcome: released },
    { ...b, outcome: completed('"b"') },
    { ...d, outcome: completed('"d"') },
    { ...d, outcome: completed('"again"') },
    { ...named, outcome: completed('"named"') },
    { ...e, token: `${e.token}0`, outcome: released },
    { ...e, outcome: completed('') },
  ]);
  assert.deepEqual(
    receipts.map((receipt) => (receipt.status === 'lost' ? 'lost' : receipt.state)),
    [
      'completed',
      'lost',
      'completed',
      'ready',
      'lost',
      'completed',
      'lost',
      'completed',
      'lost',
      'completed',
    ],
  );
  const jobs = await store.get([a, b, c, d, e, named].map(({ id }) => id));
  assert.deepEqual(
    jobs.map((one) => [one?.result, one?.input]),
    ['"a"', null, null, '"d"', '', '"named"'].map((result) => [result, '1']),
  );
});

type Held = Pick<Lease, 'id' | 'token'>;

test('a store may have more queues and tasks than two bytes can number', async (t) => {
  const { store, client } = await open(t);
  for (const hash of ['queues', 'tasks'])
    for (let from = 0; from < 66_000; from += 1_000)
      await client.sendCommand([
        'HSET',
        `{longshore}:${hash}`,
        ...Array.from({ length: 1_000 }, (_, index) => [`${hash}-${from + index}`, '1']).flat(),
      ]);
  const specs = [
    spec({ input: '1', priority: 3 }),
    spec({ queue: 'other', task: 'another', attemptsMax: 9 }),
  ];
  await store.enqueue(specs);
  const { leases } = await store.claim(claimRequest({ queues: ['q', 'other'] }));
  assert.deepEqual(
    leases.map(({ id, queue, task, input, priority, attemptsMax }) => [
      id,
      queue,
      task,
      input,
      priority,
      attemptsMax,
    ]),
    specs.map(({ id, queue, task, input, priority, attemptsMax }) => [
      id,
      queue,
      task,
      input,
      priority,
      attemptsMax,
    ]),
  );
  await store.settle(leases.map((lease) => ({ ...lease, outcome: completed('2') })));
  const jobs = await store.get(specs.map(({ id }) => id));
  assert.deepEqual(
    jobs.map((one) => [one?.queue, one?.task, one?.state, one?.result]),
    specs.map(({ queue, task }) => [queue, task, 'completed', '2']),
  );
});

const job = fc.record({
  key: fc.oneof({ arbitrary: fc.constant(null), weight: 5 }, fc.constantFrom('k1', 'k2')),
  unique: fc.oneof({ arbitrary: fc.constant(false), weight: 5 }, fc.constant(true)),
  input: fc.option(fc.json({ maxDepth: 1 }), { nil: null }),
  attemptsMax: fc.constantFrom(1, 3, 0xffffff, 2 ** 40),
  delayMs: fc.constantFrom(0, 0, 1),
  priority: fc.constantFrom(0, 0, -1, 2 ** 31 - 1, -(2 ** 31)),
  /** How often it came back before: then it has a start, and its place is in `back`. */
  released: fc.integer({ min: 0, max: 2 }),
  progress: fc.constantFrom(undefined, null, '0.5'),
  result: fc.option(fc.json({ maxDepth: 1 }), { nil: null }),
});

test('the short way to complete writes what the settle rule says, and nothing else', async (t) => {
  const { store } = await open(t);
  let queues = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(job, { minLength: 1, maxLength: 12 }), async (given) => {
      queues += 1;
      const queue = `q${queues}`;
      const specs = given.map((one, index) => jobSpec(one, queue, `${queues}.${index}`));
      await store.enqueue(specs, { now: T0 });
      const leases = await leasedAfter(store, specs, given);
      const before = await store.get(leases.map(({ id }) => id));
      const resultOf = (id: string) => given[specs.findIndex((one) => one.id === id)]?.result ?? null;
      await store.settle(
        leases.map(({ id, token }) => ({ id, token, outcome: completed(resultOf(id)) })),
        { now: T0 + 9 },
      );
      const expected = before.map((was) => {
        assert.ok(was);
        const change = rule(was, completed(resultOf(was.id)), T0 + 9);
        return { ...was, ...change, workerId: null, leaseExpiresAt: null };
      });
      assert.deepEqual(await store.get(leases.map(({ id }) => id)), expected);
      const { counts } = (await store.queues()).find(({ name }) => name === queue) ?? {};
      assert.equal(counts?.completed, leases.length);
      assert.equal(counts?.running, 0);
    }),
    { numRuns: 60 },
  );
});

type GivenJob = typeof job extends fc.Arbitrary<infer Given> ? Given : never;

function jobSpec(
  { key, unique, input, attemptsMax, delayMs, priority }: GivenJob,
  queue: string,
  name: string,
): JobSpec {
  const uniqueSpec = { key: `store/${name}`, mode: 'reject', periodMs: 0 } as const;
  return spec({ queue, key, input, attemptsMax, delayMs, priority, unique: unique ? uniqueSpec : null });
}

/** All of them, running, once each was given back as often as it says. */
async function leasedAfter(
  store: Store,
  specs: readonly JobSpec[],
  given: readonly GivenJob[],
): Promise<readonly Lease[]> {
  const queues = [specs[0]?.queue ?? ''];
  for (let round = 0; ; round += 1) {
    const { leases } = await store.claim(claimRequest({ queues, now: T0 + 1 }));
    const of = ({ id }: Lease) => given[specs.findIndex((one) => one.id === id)];
    const back = leases.filter((lease) => (of(lease)?.released ?? 0) > round);
    if (back.length === 0) {
      const notes = leases.flatMap((lease) => {
        const progress = of(lease)?.progress;
        return progress === undefined ? [] : [{ id: lease.id, token: lease.token, progress }];
      });
      await store.annotate(notes, { now: T0 + 2 });
      return leases;
    }
    await store.settle(
      leases.map(({ id, token }) => ({ id, token, outcome: { type: 'released' } })),
      { now: T0 + 1 },
    );
  }
}
