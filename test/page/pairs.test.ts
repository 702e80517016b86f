/** What is told of two runs, jobs or attempts beside each other, without a browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { connect, defineTask } from '../../src/index.ts';
import type { Job } from '../../src/page/data.ts';
import { ABSENT, differencesOf } from '../../src/page/differences.ts';
import { attemptsOf, paceOf } from '../../src/page/pairs.ts';

test('values differ by leaf, with the way there', () => {
  const before = { card: 4, items: [{ id: 1 }, { id: 2 }], same: { deep: [true, null] }, list: [] };
  const after = { card: 5, items: [{ id: 1 }, { id: 3 }, { id: 4 }], same: { deep: [true, null] }, list: {} };
  const { shown, count, same } = differencesOf(before, after);
  assert.deepEqual(shown, [
    { path: 'card', before: 4, after: 5 },
    { path: 'items.1.id', before: 2, after: 3 },
    { path: 'items.2', before: ABSENT, after: { id: 4 } },
    { path: 'list', before: [], after: {} },
  ]);
  assert.deepEqual([count, same], [4, 3]);
});

test('what the server hides on both sides is neither the same nor different', () => {
  const { count, same, hidden } = differencesOf({ card: '[redacted]', n: 1 }, { card: '[redacted]', n: 1 });
  assert.deepEqual([count, same, hidden], [0, 1, 1]);
});

test('only so many differences are listed, and all are counted', () => {
  const list = Array.from({ length: 5_000 }, (_, index) => index);
  const { shown, count } = differencesOf(
    list,
    list.map((value) => value + 1),
  );
  assert.deepEqual([shown.length, count], [200, 5_000]);
});

test('a value nests as deep as it likes', () => {
  const nested = (depth: number): unknown => {
    let value: unknown = depth;
    for (let level = 0; level < 20_000; level += 1) value = [value];
    return value;
  };
  assert.equal(differencesOf(nested(1), nested(1)).count, 0);
  assert.equal(differencesOf(nested(1), nested(2)).count, 1);
});

test('a value never differs from itself, and two differ both ways alike', () => {
  const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (...values) => {
      const [one, other] = values.map(copy);
      assert.equal(differencesOf(copy(one), copy(one)).count, 0);
      const [there, back] = [differencesOf(one, other), differencesOf(other, one)];
      assert.deepEqual([there.count, there.same], [back.count, back.same]);
      assert.equal(there.count === 0, isDeepStrictEqual(one, other));
    }),
  );
});

test('a time is called longer or shorter only where that is worth a word', () => {
  assert.equal(paceOf(1_000, 2_400), '2.4 × longer');
  assert.equal(paceOf(30_000, 1_000), '30 × shorter');
  assert.equal(paceOf(1, 50), null);
  assert.equal(paceOf(1_000, 1_200), null);
  assert.equal(paceOf(null, 1_000), null);
});

test('attempts are told apart by number, and by redrive where they are counted anew', async (t) => {
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  let isMended = false;
  const flaky = defineTask({
    name: 'flaky',
    attempts: 2,
    backoff: 0,
    run: ({ attempt, log }) => {
      log(isMended ? 'mended' : `trying ${attempt}`);
      if (!isMended) throw new Error(`no ${attempt}`);
      return 'done';
    },
  });
  const { id } = await longshore.enqueue(flaky, undefined, { meta: { correlationId: 'request-7' } });
  const worker = (): ReturnType<typeof longshore.worker> => longshore.worker({ tasks: [flaky] });
  await worker().runUntilIdle();
  const told = async (): Promise<readonly unknown[]> => {
    const job = (await longshore.jobs.get(id)) as unknown as Job;
    return attemptsOf(job).map(({ place, number, state, error, logs, worker: by, runMs }) => {
      assert.equal(typeof by, 'string');
      assert.equal(typeof runMs, 'number');
      return [place, number, state, error?.message ?? null, ...logs.map(({ message }) => message)];
    });
  };
  const failed = [
    [1, 1, 'failed', 'no 1', 'trying 1'],
    [2, 2, 'failed', 'no 2', 'trying 2'],
  ];
  assert.deepEqual(await told(), failed);
  isMended = true;
  await longshore.jobs.redrive(id);
  assert.deepEqual(await told(), failed);
  await worker().runUntilIdle();
  assert.deepEqual(await told(), [...failed, [3, 1, 'completed', null, 'mended']]);
});
