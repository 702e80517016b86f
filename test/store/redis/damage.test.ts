import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient, RESP_TYPES } from '@redis/client';
import { JOB_STATES } from '../../../src/core/job-state.ts';
import { redisDriver } from '../../../src/store/redis/index.ts';
import { idBytes } from '../../../src/store/redis/record.ts';
import type { JobSpec, Lease, Settlement, Store } from '../../../src/store/store.ts';
import { claimRequest, completed, ids, spec, T0 } from '../../../src/testing/store-conformance/trial.ts';
import { freshPrefix } from '../../fresh-prefix.ts';
import { serverUrl } from '../../servers.ts';

/** What is damaged stops nothing but itself: records that were cut or overwritten, in every state a job may be in. */

const LEASE_MS = 1_000;

interface Place {
  readonly store: Store;
  readonly base: string;
  send(...command: (string | Buffer)[]): Promise<unknown>;
  close(): Promise<void>;
}

async function openPlace(server: string): Promise<Place> {
  const fresh = freshPrefix(server);
  const store = await redisDriver.open(fresh.url, {});
  const client = createClient({
    url: server,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  await client.connect();
  return {
    store,
    base: `{${new URL(fresh.url).searchParams.get('prefix')}}:`,
    send: (...command) => client.sendCommand(command),
    async close() {
      client.destroy();
      await store.close();
      await fresh.remove();
    },
  };
}

const completions = (leases: readonly Lease[]): Settlement[] =>
  leases.map(({ id, token }) => ({ id, token, outcome: completed('1') }));

/** Three jobs, of which the middle one is damaged, brought to a state. */
const STATES: Readonly<
  Record<string, { readonly specs: () => JobSpec[]; readonly bring?: (store: Store) => Promise<unknown> }>
> = {
  ready: { specs: () => three() },
  'ready, with another priority': { specs: () => three({ priority: 5 }) },
  'ready, with a key': { specs: () => three({ key: 'k' }) },
  'ready, with keys in order': { specs: () => three({ key: 'k' }), bring: inOrder },
  'ready, come back': {
    specs: () => three(),
    bring: async (store) => {
      const { leases } = await store.claim(claimRequest({ now: T0, leaseMs: LEASE_MS }));
      await store.settle(
        leases.map(({ id, token }) => ({ id, token, outcome: { type: 'released' } })),
        { now: T0 },
      );
    },
  },
  scheduled: { specs: () => three({ delayMs: 500 }) },
  running: { specs: () => three(), bring: claimAll },
  'running, of a large batch': { specs: () => many(30), bring: claimAll },
  'running, with a key': { specs: () => three({ key: 'k' }), bring: claimAll },
  'running, with keys in order': {
    specs: () => three({ key: 'k' }),
    bring: async (store) => {
      await inOrder(store);
      await claimAll(store);
    },
  },
  'running, with a unique key': {
    specs: () => three({ unique: { key: 'u', mode: 'existing', periodMs: 0 } }, true),
    bring: claimAll,
  },
  completed: { specs: () => three(), bring: completeAll },
  'completed with its batch': { specs: () => many(30), bring: completeAll },
};

function three(changes: Partial<JobSpec> = {}, distinct = false): JobSpec[] {
  return many(3, changes).map((one, index) =>
    distinct && one.unique !== null ? { ...one, unique: { ...one.unique, key: `u${index}` } } : one,
  );
}

function many(jobs: number, changes: Partial<JobSpec> = {}): JobSpec[] {
  return Array.from({ length: jobs }, (_, index) => spec({ input: `{"n":${index}}`, ...changes }));
}

async function inOrder(store: Store): Promise<void> {
  await store.configureQueue('q', { limits: { perKey: { ordered: true } } }, { now: T0 });
}

async function claimAll(store: Store): Promise<readonly Lease[]> {
  return (await store.claim(claimRequest({ now: T0, leaseMs: LEASE_MS }))).leases;
}

async function completeAll(store: Store): Promise<void> {
  await store.settle(completions(await claimAll(store)), { now: T0 });
}

const DAMAGES: Readonly<Record<string, (record: Buffer) => Buffer>> = {
  emptied: () => Buffer.alloc(0),
  'cut to its form': (record) => record.subarray(0, 7),
  'cut in its middle': (record) => record.subarray(0, 16),
  'overwritten with text': () => Buffer.from('another program was here, and wrote something of its own'),
  'overwritten with ones': (record) => Buffer.alloc(record.length, 255),
};

for (const [state, { specs, bring }] of Object.entries(STATES))
  test(`a damaged record of a job that is ${state} stops nothing else`, async (t) => {
    const server = await serverUrl(t, 'redis');
    if (server === undefined) return;
    for (const [damage, change, verb] of Object.entries(DAMAGES).flatMap(([name, how]) =>
      FIRST_VERBS.map((first) => [`${name}, met by ${first}`, how, first] as const),
    )) {
      const place = await openPlace(server);
      try {
        const jobs = specs();
        const victim = jobs[Math.floor(jobs.length / 2)] as JobSpec;
        const others = ids(jobs).filter((id) => id !== victim.id);
        await place.store.enqueue(jobs, { now: T0 });
        await bring?.(place.store);
        const record = await place.send('HGET', `${place.base}jobs`, idBytes(victim.id));
        const bytes = change(record as Buffer);
        await place.send('HSET', `${place.base}jobs`, idBytes(victim.id), bytes);
        await runAll(place.store, { others, verb, victim: victim.id }, damage);
        await sawDamage(place, victim.id, bytes, damage);
      } finally {
        await place.close();
      }
    }
  });

/** Which verb meets the damage first. */
const FIRST_VERBS = ['list', 'claim', 'reap', 'prune', 'cancel'] as const;

interface Trial {
  readonly others: readonly string[];
  readonly victim: string;
  readonly verb: (typeof FIRST_VERBS)[number];
}

/** Every verb works, and all other jobs end completed. */
async function runAll(store: Store, { others, verb, victim }: Trial, damage: string): Promise<void> {
  const later = T0 + 2 * LEASE_MS;
  const verbs: Readonly<Record<Trial['verb'], () => Promise<unknown>>> = {
    list: () => store.list({ limit: 100 }),
    // Their lease ends before the loop below claims them again.
    claim: () => store.claim(claimRequest({ now: T0, leaseMs: LEASE_MS })),
    reap: () => store.reap({ now: later }),
    prune: () => store.prune({ now: later }),
    cancel: () => store.control([{ id: victim, type: 'cancel', by: 'test', why: '' }], { now: T0 }),
  };
  await verbs[verb]();
  await store.list({ limit: 100 });
  await store.reap({ now: later });
  await store.beat({
    worker: { id: 'w1', host: 'h', pid: 1, version: '0', tasks: [], queues: ['q'], startedAt: 1 },
    load: { slots: 1, slotsUsed: 0, profiles: [] },
    leaseMs: LEASE_MS,
    now: later,
  });
  for (;;) {
    const { leases } = await store.claim(claimRequest({ now: later, leaseMs: LEASE_MS }));
    if (leases.length === 0) break;
    const receipts = await store.settle(completions(leases), { now: later });
    assert.ok(
      receipts.every(({ status }) => status === 'settled'),
      damage,
    );
  }
  await store.prune({ now: later });
  const states = (await store.get(others)).map((job) => job?.state);
  assert.deepEqual(states, Array(others.length).fill('completed'), damage);
}

async function sawDamage(
  { store, base, send }: Place,
  id: string,
  bytes: Buffer,
  damage: string,
): Promise<void> {
  const { jobs } = await store.list({ states: ['failed'], limit: 10 });
  assert.deepEqual(ids(jobs), [id], damage);
  assert.deepEqual(JSON.parse(jobs[0]?.input ?? ''), { damaged: bytes.toString('base64') });
  const trail = await store.trail(id);
  assert.equal(trail?.errors.at(-1)?.code, 'STORE_CORRUPT');
  // What is kept of all jobs together still says the same as the jobs.
  const all = await store.list({ limit: 1_000 });
  const counted = new Map<string, number>();
  for (const queue of await store.queues())
    for (const state of JOB_STATES) counted.set(state, (counted.get(state) ?? 0) + queue.counts[state]);
  for (const state of JOB_STATES)
    assert.equal(
      counted.get(state),
      all.jobs.filter((job) => job.state === state).length,
      `${damage}: ${state}`,
    );
  assert.equal(await send('ZCARD', `${base}expiry`), 0, damage);
  // It can be taken away as any other.
  await store.control([{ id, type: 'remove', by: 'test', why: '' }]);
  assert.deepEqual(await store.get([id]), [null]);
}
