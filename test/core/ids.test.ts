import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isId, newId } from '../../src/core/ids.ts';
import { holds } from './check.ts';

// Ids of one process only go forwards, so the tests share one future and move on in it.
let future = Date.now() + 1_000_000;

test('ids sort in the order they were made, whatever the clock does', () => {
  holds(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 2, maxLength: 300 }), (steps) => {
    const ids = steps.map((step) => {
      future += step;
      return newId(future);
    });
    assert.deepEqual([...ids].sort(), ids);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.ok(isId(id), id);
  });
});

test('ids of one millisecond stay unique and in order beyond the counter', () => {
  future += 10_000;
  const ids = Array.from({ length: 20_000 }, () => newId(future));
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual([...ids].sort(), ids);
});

test('an id tells when it was made', () => {
  future = Math.floor(future) + 100_000;
  const id = newId(future);
  // RFC 9562: the first 48 bits are the milliseconds since the epoch.
  assert.equal(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16), future);
});

test('an id is a UUID of version 7', () => {
  assert.match(newId(), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('nothing else is taken for an id', () => {
  const id = newId();
  for (const text of [
    '',
    id.slice(1),
    `${id}0`,
    id.toUpperCase(),
    `${id.slice(0, 14)}4${id.slice(15)}`,
    ` ${id}`,
    `${id}\n`,
  ])
    assert.equal(isId(text), false, JSON.stringify(text));
});
