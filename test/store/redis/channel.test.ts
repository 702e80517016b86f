import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../../src/store/redis/channel.ts';

/** Answers each item with itself, and keeps the batches it was given. */
function recorder() {
  const batches: number[][] = [];
  const verb = async (items: readonly number[]): Promise<number[]> => {
    batches.push([...items]);
    return [...items];
  };
  return { batches, verb };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

test('small batches of a tick leave as one when the tick is over', async () => {
  const channel = new Channel();
  const { batches, verb } = recorder();
  const receipts = [channel.batch(verb, [1, 2], undefined), channel.batch(verb, [3], undefined)];
  assert.deepEqual(batches, []);
  assert.deepEqual(await Promise.all(receipts), [[1, 2], [3]]);
  assert.deepEqual(batches, [[1, 2, 3]]);
});

test('many single items of a tick leave as one, too', async () => {
  const channel = new Channel();
  const { batches, verb } = recorder();
  await Promise.all(range(0, 300).map((item) => channel.batch(verb, [item], undefined)));
  assert.deepEqual(batches, [range(0, 300)]);
});

test('a large batch leaves within its call, with what waited before it', async () => {
  const channel = new Channel();
  const { batches, verb } = recorder();
  const receipts = [channel.batch(verb, [0], undefined), channel.batch(verb, range(1, 200), undefined)];
  assert.deepEqual(batches, [range(0, 200)]);
  assert.deepEqual(await Promise.all(receipts), [[0], range(1, 200)]);
});
