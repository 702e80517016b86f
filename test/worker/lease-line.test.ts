import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admissionOf } from '../../src/execution/admission.ts';
import { defineTask } from '../../src/index.ts';
import type { Lease } from '../../src/store/store.ts';
import { LeaseBuffer } from '../../src/worker/lease-buffer.ts';

const counts = defineTask({ name: 'counts', run: () => undefined });

/** Its pool has room as it is told. */
function bufferBeforePool() {
  const pool = { room: 0, capacity: 1, roomBehind: () => false, takeBack: () => undefined };
  const routes = new Map([['counts', { lane: 'thread', fixed: true } as const]]);
  const admission = admissionOf({ tasks: [counts], routes, pools: { thread: pool, process: pool } });
  return { buffer: new LeaseBuffer(admission), pool };
}

function leases(count: number): Lease[] {
  return Array.from({ length: count }, (_, index) => ({ id: `job ${index}`, task: 'counts' }) as Lease);
}

test('of a line into which jobs were put back, none that runs is taken out as slow', () => {
  const { buffer, pool } = bufferBeforePool();
  const all = leases(30);
  buffer.add(all);
  // All of them are parked, then 28 start.
  assert.equal(buffer.peek(), undefined);
  pool.room = 1;
  const started = all.slice(0, 28).map(() => buffer.take() as Lease);
  const since = buffer.pace();
  buffer.putBack(started.pop() as Lease);
  const slow = buffer.takeSlow(since, 10);
  assert.deepEqual(
    slow.map(({ id }) => id),
    ['job 27', 'job 28', 'job 29'],
  );
  assert.equal(buffer.length, 0);
});

test('a line that ran empty since is not slow, whatever has come into it meanwhile', () => {
  const { buffer, pool } = bufferBeforePool();
  pool.room = 1;
  const [first, ...others] = leases(200) as [Lease, ...Lease[]];
  buffer.add([first]);
  const since = buffer.pace();
  assert.equal(buffer.take(), first);
  buffer.add(others);
  assert.equal(buffer.moved(since), null);
  assert.deepEqual(buffer.takeSlow(since, 10), []);
  assert.equal(buffer.length, 199);
  // From then on its pace counts.
  const later = buffer.pace();
  assert.equal(buffer.moved(later), 0);
  buffer.take();
  assert.equal(buffer.moved(later), 1);
  assert.equal(buffer.takeSlow(later, 10).length, 188);
});

test('a line that had nothing yet is not slow', () => {
  const { buffer, pool } = bufferBeforePool();
  const since = buffer.pace();
  buffer.add(leases(3));
  assert.deepEqual(buffer.takeSlow(since, 10), []);
  // Its pool is full: they are parked, in a line that has just begun.
  const before = buffer.pace();
  assert.equal(buffer.peek(), undefined);
  assert.deepEqual(buffer.takeSlow(before, 10), []);
  assert.equal(buffer.takeSlow(buffer.pace(), 10).length, 3);
  assert.equal(pool.room, 0);
});
