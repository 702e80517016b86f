import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admissionOf } from '../../src/execution/admission.ts';
import type { PoolKind } from '../../src/execution/lane.ts';
import { defineTask } from '../../src/index.ts';
import type { Lease } from '../../src/store/store.ts';
import { BlockedQueues } from '../../src/worker/blocked-queues.ts';

const counts = defineTask({ name: 'counts', queue: 'threads', run: () => undefined });
const converts = defineTask({ name: 'converts', queue: 'processes', run: () => undefined });

/** Both queues are blocked by their pools. */
function bothBlocked() {
  const room = { thread: 0, process: 0 };
  const parked = { thread: 0, process: 0 };
  const pool = (kind: PoolKind) => ({
    capacity: 2,
    get room() {
      return room[kind];
    },
    roomBehind: () => false,
    takeBack: () => undefined,
  });
  const admission = admissionOf({
    tasks: [counts, converts],
    routes: new Map([
      ['counts', { lane: 'thread', fixed: true }],
      ['converts', { lane: 'process', fixed: true }],
    ]),
    pools: { thread: pool('thread'), process: pool('process') },
  });
  assert.ok(admission);
  const blocked = new BlockedQueues(admission, (kind) => parked[kind]);
  const leases = [counts, converts].map(({ name: task, queue }) => ({ task, queue }) as Lease);
  blocked.add(leases, 0);
  return { blocked, room, parked };
}

const all = { queues: ['threads', 'processes', 'others'], limit: 10 };

test('queues whose pool is full are not asked', () => {
  const { blocked } = bothBlocked();
  assert.equal(blocked.ready(1_000_000), false);
  assert.deepEqual(blocked.ask(all, 1_000_000), { queues: ['others'], limit: 10 });
});

test('a queue is asked for as many jobs as its pool has room for beside those that wait here', () => {
  const { blocked, room, parked } = bothBlocked();
  Object.assign(room, { thread: 2 });
  Object.assign(parked, { thread: 1 });
  assert.equal(blocked.ready(0), true);
  assert.deepEqual(blocked.ask(all, 0), { queues: ['threads', 'others'], limit: 1 });
  Object.assign(parked, { thread: 2 });
  assert.equal(blocked.ready(0), false);
});

test('jobs that wait for one pool keep no queue from the room of the other', () => {
  const { blocked, room, parked } = bothBlocked();
  Object.assign(room, { thread: 1 });
  Object.assign(parked, { process: 7 });
  assert.equal(blocked.ready(0), true);
  assert.deepEqual(blocked.ask(all, 0), { queues: ['threads', 'others'], limit: 1 });
});

test('a place in a pool is held for a second, and by one that never let go of it not once more', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pool = { capacity: 1, room: 1, roomBehind: () => false, takeBack: () => undefined };
  const [slow, other] = [1, 2].map(() =>
    admissionOf({
      tasks: [counts],
      routes: new Map([['counts', { lane: 'thread', fixed: true }]]),
      pools: { thread: pool, process: pool },
    }),
  );
  assert.ok(slow && other);
  t.after(() => slow.letGo());
  slow.hold('thread');
  assert.deepEqual([slow.room('thread'), other.room('thread')], [1, 0]);
  t.mock.timers.tick(1_000);
  assert.equal(other.room('thread'), 1);
  slow.hold('thread');
  assert.equal(other.room('thread'), 1);
  slow.letGo();
  slow.hold('thread');
  assert.equal(other.room('thread'), 0);
});
