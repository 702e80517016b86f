import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../../src/core/ids.ts';
import { bigintArray, uuidArray } from '../../../src/store/postgres/binary.ts';
import { Ground } from './ground.ts';

test('the server reads arrays of ids and of numbers in the binary form as they are', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const ids = Array.from({ length: 300 }, () => newId());
  const numbers = [
    0,
    1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    -1,
    -(2 ** 40),
    -(2 ** 53) + 1,
  ];
  const [row] = await ground.query('SELECT $1::uuid[]::text[] AS ids, $2::bigint[]::text[] AS numbers', [
    uuidArray(ids),
    bigintArray(numbers),
  ]);
  assert.deepEqual(row?.ids, ids);
  assert.deepEqual(row?.numbers.map(Number), numbers);
});

test('what is no id is left to the server to refuse', () => {
  const id = newId();
  assert.notEqual(uuidArray([id]), null);
  assert.equal(uuidArray([`${id.slice(0, 35)}g`]), null);
  assert.equal(uuidArray([`g${id.slice(1)}`]), null);
  assert.equal(uuidArray([id, id.slice(1)]), null);
});
