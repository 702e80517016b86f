import assert from 'node:assert/strict';
import type { Store } from '../../store/store.ts';
import type { It } from './area.ts';
import { beatOf, claimRequest, only, spec, T0 } from './trial.ts';

const VERBS: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  enqueue: (store) => store.enqueue([spec()]),
  claim: (store) => store.claim(claimRequest()),
  settle: (store) => store.settle([{ id: 'id', token: 'token', outcome: { type: 'released' } }]),
  annotate: (store) => store.annotate([{ id: 'id', token: 'token' }]),
  beat: (store) => store.beat(beatOf('w1', T0)),
  disown: (store) => store.disown({ workerId: 'w1', jobs: ['a'], before: 1 }),
  retire: (store) => store.retire('w1'),
  workers: (store) => store.workers(),
  reap: (store) => store.reap(),
  prune: (store) => store.prune(),
  age: (store) => store.age(),
  configureQueue: (store) => store.configureQueue('q', {}),
  queues: (store) => store.queues(),
  clear: (store) => store.clear('q', ['ready']),
  control: (store) => store.control([{ type: 'cancel', id: 'id', by: 'ada', why: null }]),
  get: (store) => store.get(['id']),
  list: (store) => store.list({ limit: 1 }),
  trail: (store) => store.trail('id'),
  'lock.acquire': ({ lock }) => lock.acquire({ name: 'prune', holder: 'a', ttlMs: 1_000 }),
  'lock.release': ({ lock }) => lock.release({ name: 'prune', holder: 'a' }),
};

export function errorsArea(it: It): void {
  it('every verb after close rejects with STORE_CLOSED', async ({ store }) => {
    await store.close();
    for (const [verb, call] of Object.entries(VERBS))
      await assert.rejects(call(store), { name: 'LongshoreError', code: 'STORE_CLOSED' }, verb);
  });

  it('close may be called twice', async ({ store }) => {
    await store.close();
    await store.close();
  });

  it('verbs called before close are carried out', async ({ store }) => {
    const specs = [spec(), spec()];
    const calls = [
      store.enqueue(specs.slice(0, 1)),
      store.enqueue(specs.slice(1)),
      store.claim(claimRequest({ limit: 1 })),
    ];
    const closing = store.close();
    const [first, second] = await Promise.all(calls);
    await closing;
    assert.deepEqual(
      [first, second],
      specs.map(({ id }) => [{ status: 'created', id, state: 'ready' }]),
    );
  });

  it(
    'what was called before close is in the store afterwards',
    async (trial) => {
      const one = spec();
      const adding = trial.store.enqueue([one], { now: T0 });
      await trial.store.close();
      await adding;
      const again = await trial.reopen();
      assert.equal(only(await again.get([one.id]))?.state, 'ready');
    },
    'durable',
  );

  it('close stops the beats', async ({ store }) => {
    const { worker } = beatOf('w1', T0);
    let closed = false;
    const keepAlive = store.keepAlive({
      worker,
      leaseMs: 60_000,
      intervalMs: 1,
      onBeat: () => assert.equal(closed, false, 'a beat after close'),
      onError: (error) => assert.equal(closed, false, `an error after close: ${error}`),
    });
    await keepAlive.beat();
    await store.close();
    closed = true;
    await new Promise<void>((resolve) => setImmediate(resolve));
    await keepAlive.close();
  });
}
