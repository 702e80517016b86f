import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  debouncedUntil,
  keyGiven,
  sortedJson,
  type UniqueOptions,
  uniqueSpec,
} from '../../src/core/unique.ts';
import { holds, thrownBy } from './check.ts';

const specOf = (options: UniqueOptions, input: unknown = null, task = 't', queue = 'q') =>
  uniqueSpec(options, { task, queue, input }, (text) => text);

/** The same value, every object with its keys the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

const keys = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '1', '10'));
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 0, 1.5, 'text', '1'),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.array(fc.tuple(keys, tie('json')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

test('equal inputs have equal keys, whatever the order of their members', () => {
  holds(json, (value) => {
    assert.equal(sortedJson(reversed(value)), sortedJson(value));
  });
});

test('the text of a key holds the whole input, so different inputs have different keys', () => {
  holds(json, (value) => {
    assert.deepEqual(JSON.parse(sortedJson(value)), value);
  });
});

test('without a key the input is the key, by its digest', () => {
  const spec = uniqueSpec(
    {},
    { task: 't', queue: 'q', input: { b: 1, a: 2 } },
    (text) => `digest of ${text}`,
  );
  assert.deepEqual(spec, { key: 'task/t/digest of task/t/{"a":2,"b":1}', mode: 'existing', periodMs: 0 });
  assert.equal(uniqueSpec({}, { task: 't', queue: 'q', input: undefined }, String).key, 'task/t/task/t/');
});

test('maxWaitMs bounds debounce, from when the job was added and never to before now', () => {
  const unique = { periodMs: 100, maxWaitMs: 250 };
  assert.equal(debouncedUntil({ periodMs: 100 }, 0, 5_000), 5_100);
  assert.equal(debouncedUntil(unique, 0, 0), 100);
  assert.equal(debouncedUntil(unique, 0, 200), 250);
  assert.equal(debouncedUntil(unique, 0, 5_000), 5_000);
  const spec = specOf({ key: 'k', mode: 'debounce', ...unique });
  assert.deepEqual(spec, { key: 'task/t/k', mode: 'debounce', ...unique });
});

test('maxWaitMs is refused for other modes, below the period, and where it is no time', () => {
  const refused = (options: UniqueOptions) => thrownBy(() => specOf({ key: 'k', ...options })).details.field;
  assert.equal(refused({ mode: 'replace', maxWaitMs: 1 }), 'unique.maxWaitMs');
  assert.equal(refused({ mode: 'debounce', periodMs: 100, maxWaitMs: 99 }), 'unique.maxWaitMs');
  assert.equal(refused({ mode: 'debounce', periodMs: 100, maxWaitMs: '200' as never }), 'unique.maxWaitMs');
});

test('a key stands in its scope', () => {
  assert.equal(specOf({ key: 'k' }).key, 'task/t/k');
  assert.equal(specOf({ key: 'k', scope: 'queue' }).key, 'queue/q/k');
  assert.equal(specOf({ key: 'k', scope: 'store' }).key, 'store/k');
});

test('keys of different tasks never meet, whatever their names', () => {
  const names = fc.string({ unit: fc.constantFrom('a', 'b', '/', '%'), minLength: 1, maxLength: 4 });
  holds(names, names, names, names, (task, key, otherTask, otherKey) => {
    const same = specOf({ key }, null, task).key === specOf({ key: otherKey }, null, otherTask).key;
    assert.equal(same, task === otherTask && key === otherKey);
  });
});

test('scope and key are told apart at every place where both could be cut', () => {
  const texts = ['mail/welcome/7', 'a%2Fb/c%25/d', 'task/queue/store/x', '//%/'];
  for (const text of texts) {
    const cuts = [...text].flatMap((one, at) => (one === '/' && at > 0 && at < text.length - 1 ? [at] : []));
    const names = cuts.map((at) => [text.slice(0, at), text.slice(at + 1)] as const);
    const keys = [
      ...names.map(([task, key]) => specOf({ key }, null, task).key),
      ...names.map(([queue, key]) => specOf({ key, scope: 'queue' }, null, 't', queue).key),
      specOf({ key: text, scope: 'store' }).key,
    ];
    assert.equal(new Set(keys).size, keys.length, keys.join(' '));
  }
});

test('the key that was given is found in what a store keeps', () => {
  const names = fc.string({ unit: fc.constantFrom('a', '/', '%', '2', 'F'), minLength: 1, maxLength: 6 });
  holds(names, names, fc.constantFrom('task', 'queue', 'store'), (name, key, scope) => {
    assert.equal(keyGiven(specOf({ key, scope }, null, name, name).key), key);
  });
});

test('wrong options are refused, naming the field', () => {
  const wrong: readonly [object, RegExp][] = [
    [
      { mode: 'once' },
      /unique\.mode is "once"; expected 'reject', 'existing', 'replace', 'debounce', 'throttle'/,
    ],
    [{ scope: 'world' }, /unique\.scope is "world"/],
    [{ key: '' }, /unique\.key is ""; expected a string of 1 to 1000 characters/],
    [{ key: '\u6c34'.repeat(667) }, /unique\.key is .*; expected at most 2000 bytes in UTF-8/],
    [{ periodMs: Number.NaN }, /unique\.periodMs is NaN/],
    [{ mode: 'throttle' }, /unique\.periodMs is undefined; expected a number of milliseconds above 0/],
    [{ mode: 'debounce', periodMs: 0 }, /unique\.periodMs is 0/],
  ];
  for (const [options, message] of wrong) {
    const error = thrownBy(() => specOf(options as UniqueOptions));
    assert.equal(error.code, 'OPTION_INVALID');
    assert.match(error.message, message);
  }
});
