import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH_CHARS_MAX } from '../../../src/core/batch.ts';
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

const newChannel = () => new Channel((error) => error === TOO_MUCH);
const SMALL = { now: undefined, chars: 1 };
const TOO_MUCH = new Error('too much');

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

test('small batches of a tick leave as one when the tick is over', async () => {
  const channel = newChannel();
  const { batches, verb } = recorder();
  const receipts = [channel.batch(verb, [1, 2], SMALL), channel.batch(verb, [3], SMALL)];
  assert.deepEqual(batches, []);
  assert.deepEqual(await Promise.all(receipts), [[1, 2], [3]]);
  assert.deepEqual(batches, [[1, 2, 3]]);
});

test('many single items of a tick leave as one, too', async () => {
  const channel = newChannel();
  const { batches, verb } = recorder();
  await Promise.all(range(0, 300).map((item) => channel.batch(verb, [item], SMALL)));
  assert.deepEqual(batches, [range(0, 300)]);
});

test('a large batch leaves within its call, with what waited before it', async () => {
  const channel = newChannel();
  const { batches, verb } = recorder();
  const receipts = [channel.batch(verb, [0], SMALL), channel.batch(verb, range(1, 200), SMALL)];
  assert.deepEqual(batches, [range(0, 200)]);
  assert.deepEqual(await Promise.all(receipts), [[0], range(1, 200)]);
});

test('batches that are large together leave one by one', async () => {
  const channel = newChannel();
  const { batches, verb } = recorder();
  const large = { now: undefined, chars: BATCH_CHARS_MAX / 2 };
  await Promise.all(range(0, 5).map((item) => channel.batch(verb, [item], large)));
  assert.deepEqual(batches, [[0, 1], [2, 3], [4]]);
});

test('of calls that went together and failed by what was in them, the culprit fails alone', async () => {
  const channel = newChannel();
  const { batches, verb } = recorder();
  const failing = async (items: readonly number[]): Promise<number[]> => {
    const answered = await verb(items);
    if (items.includes(1)) throw TOO_MUCH;
    return answered;
  };
  const calls = await Promise.allSettled(range(0, 3).map((item) => channel.batch(failing, [item], SMALL)));
  assert.deepEqual(
    calls.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(batches, [[0, 1, 2], [0], [1], [2]]);
});

test('calls that went together and failed by the store fail together', async () => {
  const channel = newChannel();
  const { batches, verb } = recorder();
  const failing = async (items: readonly number[]): Promise<number[]> => {
    await verb(items);
    throw new Error('gone');
  };
  const calls = await Promise.allSettled(range(0, 3).map((item) => channel.batch(failing, [item], SMALL)));
  assert.ok(calls.every(({ status }) => status === 'rejected'));
  assert.deepEqual(batches, [[0, 1, 2]]);
});
