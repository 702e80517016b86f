import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { BlockWatch, type Suspect } from '../../src/execution/block-watch.ts';

describe('the watch over the event loop', () => {
  let loop = { now: 1_000, busyMs: 500 };
  let watch = new BlockWatch(200, () => loop);
  const blocks: [string, number, boolean][] = [];
  const suspect = (name: string): Suspect => ({
    onBlocked: (heldMs, certain) => blocks.push([name, heldMs, certain]),
  });
  const pass = (ms: number, busyMs: number): void => {
    loop = { now: loop.now + ms, busyMs: loop.busyMs + busyMs };
  };

  afterEach(() => {
    watch.close();
    watch = new BlockWatch(200, () => loop);
    blocks.length = 0;
  });

  test('a job that held the loop when it ended is told so', () => {
    const one = suspect('one');
    watch.enter(one);
    pass(550, 540);
    watch.leave(one);
    assert.deepEqual(blocks, [['one', 500, true]]);
  });

  test('a loop that had no core, or nothing to do, was not held', () => {
    const one = suspect('one');
    watch.enter(one);
    pass(550, 40);
    watch.leave(one);
    assert.deepEqual(blocks, []);
  });

  test('of several that may have done it, each is told that it is not certain', () => {
    const [one, other] = [suspect('one'), suspect('other')];
    watch.enter(one);
    watch.enter(other);
    pass(400, 400);
    watch.leave(other);
    assert.deepEqual(blocks, [
      ['one', 350, false],
      ['other', 350, false],
    ]);
  });

  test('what ran at once is known to have done it, and nobody else is blamed for that time', () => {
    const [one, other] = [suspect('one'), suspect('other')];
    watch.enter(other);
    pass(300, 300);
    watch.ran(one, loop.now - 300, loop.now);
    watch.leave(other);
    assert.deepEqual(blocks, [['one', 300, true]]);
  });
});
