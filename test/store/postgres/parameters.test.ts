import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../src/store/store.ts';
import { beatOf, completed, spec } from '../../../src/testing/store-conformance/trial.ts';
import { Ground } from './ground.ts';

const circular: { self?: unknown } = {};
circular.self = circular;

/** Of values no caller in TypeScript can give; none can be written as a text. */
const UNFIT: Readonly<Record<string, unknown>> = {
  'a circular object': circular,
  'a symbol': Symbol('unfit'),
  'an object that throws when it is read': {
    toJSON() {
      throw new Error('never');
    },
    toString() {
      throw new Error('never');
    },
  },
  'a function': () => 1,
};

type Pair = [PromiseSettledResult<unknown>, PromiseSettledResult<unknown>];

type Verb = (store: Store, text: string) => Promise<unknown>;

/** Each with a text where the value goes, and with whatever stands for it. */
const VERBS: Readonly<Record<string, Verb>> = {
  enqueue: (store, text) => store.enqueue([spec({ queue: text, input: text })]),
  claim: (store, text) => store.claim({ workerId: text, queues: [text], limit: 1, leaseMs: 1_000 }),
  settle: (store, text) =>
    store.settle([{ id: spec().id, token: `1.1.${spec().id}`, outcome: completed(text) }]),
  annotate: (store, text) => store.annotate([{ id: spec().id, token: `1.1.${spec().id}`, progress: text }]),
  beat: (store, text) => store.beat(beatOf(text, Date.now())),
  retire: (store, text) => store.retire(text),
  configureQueue: (store, text) => store.configureQueue(text, { paused: false }),
  clear: (store, text) => store.clear(text, ['ready', 'completed']),
  control: (store, text) => store.control([{ id: spec().id, type: 'cancel', by: text, why: text }]),
  list: (store, text) => store.list({ queue: text, limit: 1 }),
  'list of a task': (store, text) => store.list({ task: text, limit: 1 }),
  'acquire of a lock': (store, text) => store.lock.acquire({ name: text, holder: text, ttlMs: 1_000 }),
  'release of a lock': (store, text) => store.lock.release({ name: text, holder: text }),
};

test('a value that cannot be written refuses its own call alone, whichever verb it is, and spoils no connection', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  for (const [name, verb] of Object.entries(VERBS)) {
    // With one connection on which nothing is prepared yet.
    const store: Store = await ground.store({}, ground.urlWith({ max: '1' }));
    for (const [what, value] of Object.entries(UNFIT)) {
      const [outcome, beside]: Pair = await Promise.allSettled([
        verb(store, value as string),
        store.enqueue([spec({ queue: 'beside' })]),
      ]);
      assert.equal(beside.status, 'fulfilled', `enqueue beside ${name} with ${what}`);
      const code = outcome.status === 'rejected' ? (outcome.reason as { code?: string }).code : 'none';
      assert.notEqual(code, 'STORE_UNAVAILABLE', `${name} with ${what}`);
      await verb(store, 'a text');
    }
    await store.close();
  }
});
