import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redisDriver } from '../../../src/store/redis/index.ts';
import type { Finding, JobSpec, Store } from '../../../src/store/store.ts';
import { claimRequest, completed, ids, spec } from '../../../src/testing/store-conformance/trial.ts';
import { type OwnServer, ownServer } from './server.ts';

/**
 * Keys that another program overwrote or an eviction policy took, one by one: no verb fails, doctor names it and repairs it
 * from the records, and every job whose record is left runs to its end.
 */

/** Jobs in all states, with keys, limits, rates, unique keys, ageing and trails: a key of every kind. */
async function fill(store: Store): Promise<void> {
  await store.configureQueue('q', {
    limits: {
      rate: { count: 1_000, perMs: 60_000 },
      perKey: { concurrency: 2, rate: { count: 100, perMs: 60_000 } },
    },
    ageing: { everyMs: 60_000, floor: -5 },
  });
  await store.enqueue(Array.from({ length: 30 }, () => spec()));
  const whole = (await store.claim(claimRequest({ limit: 30 }))).leases;
  await store.settle(whole.map(({ id, token }) => ({ id, token, outcome: completed('1') })));
  await store.enqueue([
    // Its id is text, and so is then the key of its trail.
    spec({ id: 'order-1', priority: -1 }),
    ...some(8, { key: 'k' }),
    ...some(3, { priority: 5 }),
    ...some(3),
    ...some(2, { delayMs: 3_600_000 }),
    ...some(2, { unique: { key: 'u', mode: 'existing', periodMs: 3_600_000 } }),
  ]);
  const { leases } = await store.claim(claimRequest({ limit: 6 }));
  const [first, second, third] = leases;
  assert.ok(first && second && third);
  const error = { attempt: 1, at: 1, name: 'Error', message: 'it broke', stack: null, code: null };
  await store.settle([
    { id: first.id, token: first.token, outcome: { type: 'failed', error } },
    { id: second.id, token: second.token, outcome: { type: 'released' } },
    { id: third.id, token: third.token, outcome: completed(null) },
  ]);
  await store.beat({
    worker: { id: 'w1', host: 'h', pid: 1, version: '0', tasks: [], queues: ['q'], startedAt: 1 },
    load: { slots: 1, slotsUsed: 1, profiles: [] },
    leaseMs: 30_000,
  });
  await store.lock.acquire({ name: 'leader', holder: 'w1', ttlMs: 60_000 });
}

function some(jobs: number, changes: Partial<JobSpec> = {}): JobSpec[] {
  return Array.from({ length: jobs }, () => spec(changes));
}

/** Every verb, in another queue as well. Nothing rejects. */
async function runAll(store: Store): Promise<void> {
  const fresh = some(15, { queue: 'other' });
  await store.enqueue([...fresh, ...some(2), ...some(2, { key: 'k' })]);
  const { leases } = await store.claim(claimRequest({ queues: ['other', 'q'] }));
  await store.settle(leases.map(({ id, token }) => ({ id, token, outcome: completed('2') })));
  await store.reap();
  await store.prune();
  await store.age();
  await store.workers();
  await store.queues();
  await store.list({ limit: 100 });
  await store.beat({
    worker: { id: 'w2', host: 'h', pid: 1, version: '0', tasks: [], queues: ['q'], startedAt: 1 },
    load: { slots: 1, slotsUsed: 1, profiles: [] },
    leaseMs: 30_000,
  });
  await store.retire('w2');
  await store.configureQueue('other', { paused: false });
  await store.lock.acquire({ name: 'leader', holder: 'w2', ttlMs: 60_000 });
  await store.control(ids(fresh.slice(0, 1)).map((id) => ({ id, type: 'remove', by: 'test', why: '' })));
  await store.get(ids(fresh));
  await store.trail(fresh[0]?.id ?? '');
}

const faultsOf = (found: readonly Finding[]): Finding[] =>
  found.filter(({ level, repaired, check }) => level === 'fault' && !repaired && check !== 'persistence');

async function repaired(server: OwnServer, what: string): Promise<void> {
  await redisDriver.doctor(server.url, { repair: true });
  // What a queue allows only its operator knows; its jobs wait until then.
  const left = faultsOf(await redisDriver.doctor(server.url)).filter(({ check }) => check !== 'settings');
  assert.deepEqual(left, [], what);
}

/** All that is left runs to its end, and is then counted and listed as what it is. */
async function finish(server: OwnServer, store: Store, what: string): Promise<void> {
  const queues = (await store.queues()).map(({ name }) => name).filter((name) => name !== '*');
  for (const name of queues)
    await store.configureQueue(name, {
      paused: false,
      limits: { rate: null, concurrency: null, perKey: { rate: null, concurrency: null, ordered: false } },
    });
  const later = Date.now() + 7_200_000;
  for (;;) {
    await store.reap({ now: later });
    const { leases } = await store.claim(claimRequest({ queues, now: later }));
    if (leases.length === 0) break;
    await store.settle(
      leases.map(({ id, token }) => ({ id, token, outcome: completed('3') })),
      { now: later },
    );
  }
  const { jobs } = await store.list({ limit: 1_000 });
  assert.deepEqual(
    jobs.filter(({ state }) => state !== 'completed' && state !== 'failed'),
    [],
    what,
  );
  assert.deepEqual(faultsOf(await redisDriver.doctor(server.url)), [], what);
}

async function keysOf(server: OwnServer): Promise<string[]> {
  return ((await server.send('KEYS', '{longshore}:*')) as string[])
    .filter((key) => !key.endsWith(':meta') && !key.includes('\ufffd'))
    .sort();
}

/** What may happen to a key; each says whether doctor must see it. */
const HARMS: Readonly<Record<string, (server: OwnServer, key: string) => Promise<boolean>>> = {
  async 'of another type'(server, key) {
    await server.send('DEL', key);
    await server.send('XADD', key, '*', 'a', '1');
    return true;
  },
  async deleted(server, key) {
    await server.send('DEL', key);
    return false;
  },
  async 'with values that are cut'(server, key) {
    await damageValues(server, key, (value) => value.slice(0, Math.floor(value.length / 2)));
    return false;
  },
  async 'with values of something else'(server, key) {
    await damageValues(server, key, () => 'something else, and longer than what was there before');
    return false;
  },
};

/** Every value of a hash, every element of a list, and one more member of a set. */
async function damageValues(
  server: OwnServer,
  key: string,
  change: (value: string) => string,
): Promise<void> {
  switch (await server.send('TYPE', key)) {
    case 'hash': {
      const fields = (await server.send(
        'EVAL',
        HASH,
        '1',
        key,
        change('0123456789abcdef0123456789abcdef'),
      )) as number;
      assert.ok(fields > 0);
      break;
    }
    case 'list':
      for (let index = Number(await server.send('LLEN', key)) - 1; index >= 0; index -= 1)
        await server.send('LSET', key, String(index), change('0123456789abcdef'));
      break;
    case 'zset':
      await server.send('ZADD', key, '0', change('0123456789abcdef'));
      break;
    case 'set':
      await server.send('SADD', key, change('0123456789abcdef'));
      break;
    default:
      await server.send('SET', key, change('1234'));
  }
}

/** Fields are bytes that the client would read as text. */
const HASH = `local fields = redis.call('HKEYS', KEYS[1])
for _, field in ipairs(fields) do redis.call('HSET', KEYS[1], field, ARGV[1]) end
return #fields`;

for (const [harm, change] of Object.entries(HARMS))
  test(`no verb fails where a key is ${harm}, whichever, and doctor repairs it`, async (t) => {
    const server = await ownServer(t);
    const store = await server.open();
    await fill(store);
    for (const key of await keysOf(server)) {
      await server.send('FLUSHALL');
      await (await server.open()).close();
      await fill(store);
      const isSeen = await change(server, key);
      const untouched = await redisDriver.doctor(server.url);
      if (isSeen) assert.notDeepEqual(faultsOf(untouched), [], key);
      await runAll(store).catch((error: unknown) => assert.fail(`${key}: ${String(error)}`));
      await repaired(server, key);
      await finish(server, store, key);
    }
  });
