import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ERROR_CODES,
  type ErrorCode,
  LongshoreError,
  requireName,
  show,
  toAttemptError,
} from '../../src/core/errors.ts';
import { HOSTILE } from '../hostile.ts';
import { holds } from './check.ts';

test('anything a handler may throw becomes an error that can be kept', () => {
  holds(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }), (thrown) => {
    const error = toAttemptError(thrown, 2, 9);
    assert.deepEqual([error.attempt, error.at, error.name], [2, 9, 'NonError']);
    assert.deepEqual(JSON.parse(JSON.stringify(error)), error);
  });
});

test('values that throw when they are read become errors that can be kept, with what can be read of them', () => {
  for (const [name, make] of Object.entries(HOSTILE)) {
    const error = toAttemptError(make(), 1, 0);
    assert.deepEqual(JSON.parse(JSON.stringify(error)), error, name);
    assert.ok(show(make()).length < 200, name);
  }
  const kept = (name: string) => toAttemptError(HOSTILE[name]?.(), 1, 0);
  assert.match(kept('a revoked proxy').message, /threw a value that cannot be read/);
  assert.equal(kept('an error of a revoked cause').message, 'outer');
  assert.equal(kept('an error with symbols for members').message, 'Symbol(m)');
  assert.deepEqual(
    [kept('an error of another realm').name, kept('a look-alike').message],
    ['RangeError', 'alike'],
  );
});

test('undefined, null and strange values are named for what they are', () => {
  const said = (thrown: unknown) => toAttemptError(thrown, 1, 0).message;
  assert.equal(said(undefined), 'The handler threw undefined, not an Error.');
  assert.equal(said('text'), 'The handler threw "text", not an Error.');
  assert.equal(said(Object.create(null)), 'The handler threw an object (no prototype), not an Error.');
  assert.equal(said(Symbol('s')), 'The handler threw Symbol(s), not an Error.');
  assert.equal(said(5n), 'The handler threw 5n, not an Error.');
});

test('an error keeps name, message, code and stack, with the stacks of its causes', () => {
  const cause = Object.assign(new TypeError('deep'), { code: 'EDEEP' });
  const thrown = Object.assign(new RangeError('shallow', { cause }), { code: 'ESHALLOW' });
  const { name, message, code, stack } = toAttemptError(thrown, 1, 0);
  assert.deepEqual([name, message, code], ['RangeError', 'shallow', 'ESHALLOW']);
  assert.match(stack ?? '', /^RangeError: shallow\n.*\ncaused by: TypeError: deep\n/s);
});

test('causes that refer to each other end somewhere', () => {
  const [one, other] = [new Error('one'), new Error('other')];
  one.cause = other;
  other.cause = one;
  assert.match(toAttemptError(one, 1, 0).stack ?? '', /caused by/);
});

test('an error with damaged members is still kept as text', () => {
  for (const damage of [
    { message: 5 },
    { name: undefined },
    { stack: undefined },
    { stack: ['a'] },
    { code: 5 },
  ]) {
    const thrown = new Error('no');
    for (const [key, value] of Object.entries(damage)) Object.defineProperty(thrown, key, { value });
    const { name, message, code, stack } = toAttemptError(thrown, 1, 0);
    for (const text of [name, message, stack]) assert.equal(typeof text, 'string');
    assert.equal(code, null);
  }
});

test('NUL, which not every store gives back, is made visible wherever an error has it', () => {
  const thrown = Object.assign(new Error('a\0b', { cause: new Error('c\0d') }), { code: 'E\0', name: 'N\0' });
  const { name, message, code, stack } = toAttemptError(thrown, 1, 0);
  assert.deepEqual([name, message, code], ['N␀', 'a␀b', 'E␀']);
  assert.match(stack ?? '', /a␀b.*c␀d/s);
  assert.doesNotMatch(stack ?? '', /\0/);
  assert.match(toAttemptError(Symbol('s\0'), 1, 0).message, /Symbol\(s␀\)/);
});

test('names are refused when they hold control characters, and taken with any other', () => {
  for (const name of ['a\0b', '\0', 'two\nlines', 'tab\t', '\x1b[31mred', '\x7f', '\x80'])
    assert.throws(() => requireName('queue', name), {
      code: 'OPTION_INVALID',
      message: /^queue is ".*"; expected a name without control characters such as U\+00[0-9A-F]{2}\.$/,
    });
  for (const name of ['a b', 'é', '☕', 'שלום', '\u2400']) assert.equal(requireName('queue', name), name);
  assert.throws(() => requireName('queue', ''), { message: /1 to 200 characters/ });
});

test('long messages and stacks are cut', () => {
  const { message, stack } = toAttemptError(new Error('x'.repeat(100_000)), 1, 0);
  assert.ok(message.length <= 4_000 && (stack?.length ?? 0) <= 8_000);
});

test('a value is shown in one short line', () => {
  holds(fc.anything({ withBigInt: true, withMap: true, withSet: true }), (value) => {
    assert.ok(show(value).length < 600, show(value));
    assert.ok(!show(value).includes('\n'));
  });
});

test('every code says what it means, whether to try again and what HTTP answers', () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const error = new LongshoreError(code, 'message', { details: { a: 1 } });
    assert.ok(error.status >= 400 && error.status < 600);
    assert.deepEqual(JSON.parse(JSON.stringify(error)), {
      code,
      message: 'message',
      retryable: ERROR_CODES[code].retryable,
      details: { a: 1 },
    });
  }
});

test('half a character is no part of a name', () => {
  for (const name of ['a\ud800', '\udc00b', 'a\udc00\ud800'])
    assert.throws(() => requireName('task', name), {
      code: 'OPTION_INVALID',
      message: /halves of surrogate pairs/,
    });
  assert.equal(requireName('task', '\ud83d\ude80'), '\ud83d\ude80');
});
