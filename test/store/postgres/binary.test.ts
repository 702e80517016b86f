import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../../src/core/ids.ts';
import { uuidArray } from '../../../src/store/postgres/binary.ts';
import { Ground } from './ground.ts';

test('the server reads ids in the binary form as they are', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const ids = Array.from({ length: 300 }, () => newId());
  const [row] = await ground.query('SELECT $1::uuid[]::text[] AS ids', [uuidArray(ids)]);
  assert.deepEqual(row?.ids, ids);
});

test('what is no id is left to the server to refuse', () => {
  const id = newId();
  assert.notEqual(uuidArray([id]), null);
  assert.equal(uuidArray([`${id.slice(0, 35)}g`]), null);
  assert.equal(uuidArray([`g${id.slice(1)}`]), null);
  assert.equal(uuidArray([id, id.slice(1)]), null);
});
