import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memoryDriver } from '../../../src/store/memory/index.ts';
import type { JobSpec, Lease, Settlement, Store } from '../../../src/store/store.ts';
import {
  claimRequest,
  completed,
  ids,
  ordered,
  spec,
  T0,
} from '../../../src/testing/store-conformance/trial.ts';
import { ownServer } from './server.ts';

/** Batches that were completed whole: as the store keeps them (lua/_whole.lua), and as nobody must notice. */
const WHOLE_AT = '{longshore}:wholeAt:1';

const completions = (
  leases: readonly Lease[],
  resultOf: (lease: Lease) => string | null = () => null,
): Settlement[] =>
  leases.map((lease) => ({ id: lease.id, token: lease.token, outcome: completed(resultOf(lease)) }));

const specs = (jobs: number): JobSpec[] => Array.from({ length: jobs }, (_, n) => spec({ input: `${n}` }));

async function claimed(store: Store, limit: number, now = T0): Promise<readonly Lease[]> {
  return (await store.claim(claimRequest({ limit, now }))).leases;
}

test('a batch that is completed whole is kept as one, and its jobs are as if each were completed by itself', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  const jobs = specs(60);
  await store.enqueue(jobs, { now: T0 });
  const [whole, single] = [await claimed(store, 30), await claimed(store, 30)];
  await store.settle(completions(whole), { now: T0 + 5 });
  assert.equal(await server.send('HLEN', WHOLE_AT), 1);
  await store.settle(completions(single).toReversed(), { now: T0 + 5 });
  assert.equal(await server.send('HLEN', WHOLE_AT), 1);

  const found = await store.get(ids(jobs));
  for (const [index, job] of found.entries()) {
    const { id, seq: _, input, ...rest } = job ?? assert.fail();
    const { id: __, seq: ___, input: ____, ...other } = found[59 - index] ?? assert.fail();
    assert.deepEqual([id, input], [jobs[index]?.id, jobs[index]?.input]);
    assert.deepEqual(rest, other);
    assert.deepEqual([rest.state, rest.finishedAt, rest.attempt], ['completed', T0 + 5, 1]);
  }
  assert.deepEqual(ids((await store.list({ states: ['completed'], limit: 100 })).jobs), ids(jobs).reverse());
  assert.deepEqual((await store.list({ states: ['running'], limit: 100 })).jobs, []);
  const [queue] = await store.queues();
  assert.deepEqual([queue?.counts.completed, queue?.counts.running], [60, 0]);
});

test('outcomes, notes and enqueues that come again meet completed jobs', async (t) => {
  const store = await (await ownServer(t)).open();
  const jobs = specs(20);
  await store.enqueue(jobs, { now: T0 });
  const leases = await claimed(store, 20);
  const twice = await store.settle([...completions(leases), ...completions(leases)], { now: T0 });
  assert.deepEqual(
    twice.map(({ status }) => status),
    Array.from({ length: 40 }, (_, n) => (n < 20 ? 'settled' : 'lost')),
  );
  const again = await store.settle(completions(leases), { now: T0 });
  assert.ok(again.every(({ status }) => status === 'lost'));
  const { id, token } = leases[0] ?? assert.fail();
  assert.deepEqual(await store.annotate([{ id, token, progress: '1' }]), ['lost']);
  assert.deepEqual(await store.enqueue(jobs.slice(0, 1)), [{ status: 'existing', id, state: 'completed' }]);
  assert.deepEqual(await store.control([ordered({ type: 'cancel', id })]), [
    { status: 'refused', state: 'completed' },
  ]);
});

test('what a call says of a job before and after its batch is completed whole is lost', async (t) => {
  const store = await (await ownServer(t)).open();
  await store.enqueue(specs(40), { now: T0 });
  const [stale, leases] = [await claimed(store, 20), await claimed(store, 20)];
  const mixed = leases.map(({ id }, index) => ({
    id,
    token: stale[index]?.token ?? '',
    outcome: completed(),
  }));
  const receipts = await store.settle([...mixed, ...completions(leases), ...completions(leases)], {
    now: T0,
  });
  assert.deepEqual(
    receipts.map(({ status }) => status),
    Array.from({ length: 60 }, (_, n) => (n >= 20 && n < 40 ? 'settled' : 'lost')),
  );
  const [queue] = await store.queues();
  assert.deepEqual([queue?.counts.completed, queue?.counts.running], [20, 20]);
});

test('a batch that the server lost is not taken for another one of its number', async (t) => {
  const server = await ownServer(t);
  const [store, other] = [await server.open(), await server.open()];
  await store.enqueue(specs(20));
  const forgotten = (await store.claim(claimRequest())).leases;
  // As after a crash, from which a server without the last writes comes back.
  await server.send('FLUSHALL');
  const jobs = specs(20);
  await other.enqueue(jobs);
  const { leases } = await other.claim(claimRequest());
  const receipts = await store.settle(completions(forgotten));
  assert.ok(receipts.every(({ status }) => status === 'lost'));
  assert.ok((await other.get(ids(jobs))).every((job) => job?.state === 'running'));
  assert.ok((await other.settle(completions(leases))).every(({ status }) => status === 'settled'));
});

test('results are kept with a whole batch; long ones with their jobs', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  const jobs = specs(60);
  await store.enqueue(jobs, { now: T0 });
  const [short, long] = [await claimed(store, 30), await claimed(store, 30)];
  const resultOf = ({ input }: Pick<Lease, 'input'>) =>
    Number(input) % 7 === 0 ? null : `{"n":${input},"é":""}`;
  await store.settle(completions(short, resultOf));
  assert.equal(await server.send('HLEN', WHOLE_AT), 1);
  await store.settle(completions(long, ({ input }) => JSON.stringify(input?.repeat(5_000))));
  assert.equal(await server.send('HLEN', WHOLE_AT), 1);
  const found = await store.get(ids(jobs));
  assert.deepEqual(
    found.map((job) => job?.result),
    jobs.map((job, index) => (index < 30 ? resultOf(job) : JSON.stringify(job.input?.repeat(5_000)))),
  );
});

test('a batch of which one job changed while it ran is completed job by job', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  const jobs = specs(60);
  await store.enqueue(jobs, { now: T0 });
  const [noted, cancelled, plain] = [
    await claimed(store, 20),
    await claimed(store, 20),
    await claimed(store, 20),
  ];
  const { id, token } = noted[7] ?? assert.fail();
  assert.deepEqual(await store.annotate([{ id, token, progress: '0.25' }]), ['noted']);
  await store.control([ordered({ type: 'cancel', id: cancelled[3]?.id ?? '' })]);
  const receipts = await store.settle(completions([...noted, ...cancelled, ...plain]), { now: T0 + 1 });
  assert.ok(receipts.every(({ status }) => status === 'settled'));
  assert.equal(await server.send('HLEN', WHOLE_AT), 1);
  assert.deepEqual(
    (await store.get(ids(jobs))).map((job) => [job?.state, job?.progress]),
    jobs.map((_, index) => ['completed', index === 7 ? '0.25' : null]),
  );
});

test('what is deleted of a whole batch goes with all that was kept for it', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  await store.enqueue(specs(100), { now: T0 });
  for (const now of [T0 + 1, T0 + 2]) await store.settle(completions(await claimed(store, 50)), { now });
  const [newest] = (await store.list({ limit: 1 })).jobs;
  await store.control([ordered({ type: 'remove', id: newest?.id ?? '' })]);
  await store.configureQueue('q', { retention: { completed: { ageMs: null, count: 70 } } });
  assert.equal((await store.prune({ now: T0 + 3 })).jobs, 29);
  const { jobs } = await store.list({ limit: 100 });
  assert.deepEqual(
    jobs.map(({ input }) => Number(input)),
    Array.from({ length: 70 }, (_, n) => 98 - n),
  );
  await store.configureQueue('q', { retention: { completed: { ageMs: 0, count: null } } });
  await store.prune({ now: T0 + 3 });
  assert.deepEqual(await claimed(store, 1), []);
  const kept = (await server.send('KEYS', '*')) as string[];
  assert.deepEqual(kept.map((key) => key.replace('{longshore}:', '')).sort(), [
    'batch',
    'meta',
    'queueNames',
    'queues',
    'seq',
    'settings',
    'taskNames',
    'tasks',
  ]);
});

test('a cleared queue keeps nothing of whole batches', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  await store.enqueue(specs(40));
  await store.settle(completions((await store.claim(claimRequest())).leases));
  assert.equal(await server.send('HLEN', WHOLE_AT), 1);
  assert.equal(await store.clear('q', ['completed']), 40);
  const kept = (await server.send('KEYS', '*whole*')) as string[];
  assert.deepEqual(kept, []);
});

test('jobs that are not kept are deleted with their batch', async (t) => {
  const server = await ownServer(t);
  const store = await server.open();
  await store.configureQueue('q', { retention: { completed: { ageMs: null, count: 0 } } });
  await store.enqueue(specs(40));
  const receipts = await store.settle(completions((await store.claim(claimRequest())).leases));
  assert.ok(receipts.every(({ status }) => status === 'settled'));
  assert.equal(await server.send('HLEN', '{longshore}:jobs'), 0);
  assert.equal(
    await server.send('EXISTS', '{longshore}:counts', '{longshore}:places', '{longshore}:intact'),
    0,
  );
});

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('enqueue'), size: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('claim'), size: fc.integer({ min: 8, max: 30 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('complete'), size: fc.integer({ min: 1, max: 8 }) }) },
  fc.record({ do: fc.constant('completeSome'), size: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ do: fc.constant('note'), size: fc.nat(50) }),
  fc.record({ do: fc.constant('cancel'), size: fc.nat(200) }),
  fc.record({ do: fc.constant('remove'), size: fc.nat(200) }),
  fc.record({ do: fc.constant('expire'), size: fc.nat(0) }),
  fc.record({ do: fc.constant('keep'), size: fc.integer({ min: 5, max: 60 }) }),
  fc.record({ do: fc.constant('prune'), size: fc.integer({ min: 1, max: 40 }) }),
);

/** By the size of a step. */
const RESULTS: readonly ((lease: Lease) => string | null)[] = [
  () => null,
  () => null,
  () => null,
  ({ input }) => input,
  ({ input }) => (Number(input) % 3 === 0 ? null : `"héllo ${input}"`),
  ({ input }) => (Number(input) % 3 === 0 ? '' : null),
  () => null,
  () => 'null',
  ({ input }) => JSON.stringify({ input }),
];

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** What both stores are told, in the same words; tokens are each store's own. */
class Course {
  readonly #store: Store;
  readonly #all: JobSpec[];
  #added = 0;
  #held: Lease[][] = [];
  #now = T0;

  constructor(store: Store, all: JobSpec[]) {
    this.#store = store;
    this.#all = all;
  }

  async take({ do: what, size }: Step): Promise<unknown> {
    const store = this.#store;
    this.#now += 1;
    const now = { now: this.#now };
    const job = this.#all[size % Math.max(this.#added, 1)] as JobSpec;
    switch (what) {
      case 'enqueue': {
        const given = this.#all.slice(this.#added, this.#added + size);
        this.#added += given.length;
        return store.enqueue(given, now);
      }
      case 'claim': {
        const { leases } = await store.claim(claimRequest({ limit: size, leaseMs: 1_000, ...now }));
        if (leases.length > 0) this.#held.push([...leases]);
        return ids(leases);
      }
      case 'complete':
        return store.settle(completions(this.#held.splice(0, size % 3).flat(), RESULTS[size]), now);
      case 'completeSome':
        return store.settle(completions(this.#held.at(-1)?.splice(0, size) ?? []), now);
      case 'note': {
        const lease = this.#held.flat()[size];
        if (lease === undefined) return null;
        const { id, token } = lease;
        return store.annotate([{ id, token, progress: '0.5' }], now);
      }
      case 'cancel':
      case 'remove':
        return store.control([ordered({ type: what, id: job.id })], now);
      case 'expire':
        this.#now += 2_000;
        return (await store.reap({ now: this.#now })).reaped.map(({ id, state }) => [id, state]).sort();
      case 'keep':
        await store.configureQueue('q', { retention: { completed: { ageMs: null, count: size } } }, now);
        return null;
      default:
        return store.prune({ limit: size, ...now });
    }
  }

  async seen(): Promise<unknown> {
    const { jobs } = await this.#store.list({ limit: 1_000 });
    const queues = await this.#store.queues();
    return { jobs: jobs.map(({ seq: _, ...job }) => job), counts: queues.map(({ counts }) => counts) };
  }
}

test('whatever happens to batches, jobs are as the memory store has them', async (t) => {
  const server = await ownServer(t);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      await server.send('FLUSHALL');
      const redis = await server.open();
      const memory = await memoryDriver.open('memory:', {});
      const all = specs(500);
      const [here, there] = [new Course(redis, all), new Course(memory, all)];
      for (const one of steps) {
        assert.deepEqual(await here.take(one), await there.take(one), one.do);
        assert.deepEqual(await here.seen(), await there.seen(), one.do);
      }
      await redis.configureQueue('q', { retention: { completed: { ageMs: 0, count: null } } });
      await redis.prune({ now: T0 + 1_000_000 });
      assert.deepEqual(await server.send('KEYS', '*whole*'), []);
      const bytes = (await server.send('HGET', '{longshore}:bytes', '12')) ?? '0';
      assert.equal(bytes, '0');
      await memory.close();
      await redis.close();
    }),
    { numRuns: 100 },
  );
});
