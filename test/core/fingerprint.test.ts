import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprintOf } from '../../src/core/fingerprint.ts';

const of = (message: string, task = 'mail', name = 'Error') => fingerprintOf(task, { name, message });

test('errors that differ in numbers, ids, addresses and quoted text alone are one', () => {
  const one = of(
    `no user 17 'ada' at http://a.example/1 (0199a1c2-7b3d-7004-9f31-2c6d0e5b8a17), ada@a.example`,
  );
  const other = of(
    `no user 4 'bob' at https://b.example/x (0199a1c2-7b3d-7004-9f31-2c6d0e5b8a18), bob@b.example`,
  );
  assert.deepEqual(one, other);
  assert.equal(one.pattern, 'Error: no user <n> <text> at <url> (<id>), <mail>');
  assert.match(one.fingerprint, /^[\da-f]{16}$/);
});

test('another task, name or wording is another error, and lines behind the first do not count', () => {
  const base = of('bank is closed');
  assert.notEqual(of('bank is closed', 'pay').fingerprint, base.fingerprint);
  assert.notEqual(of('bank is closed', 'mail', 'TypeError').fingerprint, base.fingerprint);
  assert.notEqual(of('bank is open').fingerprint, base.fingerprint);
  assert.equal(of('bank is closed\n{ "dump": 1 }').fingerprint, base.fingerprint);
  assert.equal(fingerprintOf('mail', null).pattern, 'no error was kept');
});
