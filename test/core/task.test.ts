import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { LongshoreError } from '../../src/core/errors.ts';
import { type AnyTask, defineTask, indexTasks, isTask } from '../../src/core/task.ts';
import { thrownBy } from './check.ts';

const run = () => 1;

test('a task has the defaults of the documentation', () => {
  const task = defineTask({ name: 'a', run });
  assert.deepEqual(
    [task.queue, task.priority, task.attempts, task.timeoutMs, task.unique, task.schema],
    ['default', 0, 3, null, null, null],
  );
  assert.deepEqual(task.backoff, { type: 'exponential', delayMs: 1_000, maxMs: 3_600_000, jitter: 0.2 });
  assert.ok(Object.isFrozen(task));
});

test('priorities may be named', () => {
  const priorityOf = (priority: 'high' | 'medium' | 'low') =>
    defineTask({ name: 'a', run, priority }).priority;
  assert.deepEqual([priorityOf('high'), priorityOf('medium'), priorityOf('low')], [-10, 0, 10]);
});

/** Wrong definitions, and what the error says. */
const WRONG: readonly [options: object, message: RegExp][] = [
  [{ run: undefined }, /run is undefined; expected a function \(context\) => result/],
  [{ input: {} }, /input is an object \(Object\); expected a Standard Schema v1/],
  [{ input: 'string' }, /input is "string"; expected a Standard Schema/],
  [{ queue: '' }, /queue is ""; expected a string of 1 to 200 characters/],
  [{ priority: 1.5 }, /priority is 1\.5; expected a 32-bit whole number/],
  [{ priority: 2 ** 31 }, /priority is 2147483648/],
  [{ priority: 'urgent' }, /priority is "urgent"; expected .*'high', 'medium' or 'low'/],
  [{ priority: 'toString' }, /priority is "toString"/],
  [
    { attempts: 0 },
    /attempts is 0; expected 1 or more: attempts counts the first run, so 1 means "no retry"/,
  ],
  [{ attempts: -1 }, /attempts is -1; expected a whole number of at least 1/],
  [{ attempts: 1.5 }, /attempts is 1\.5/],
  [{ attempts: 2 ** 31 }, /attempts is 2147483648; expected at most 2147483647/],
  [{ attempts: Number.NaN }, /attempts is NaN/],
  [{ attempts: Number.POSITIVE_INFINITY }, /attempts is Infinity/],
  [{ backoff: -1 }, /backoff is -1/],
  [
    { backoff: { type: 'fixed', delayMs: 1, jitter: 2 } },
    /backoff\.jitter is 2; expected a number from 0 to 1/,
  ],
  [{ timeoutMs: 0 }, /timeoutMs is 0; expected more than 0 milliseconds/],
  [{ timeoutMs: -5 }, /timeoutMs is -5/],
  [{ timeoutMs: Number.NaN }, /timeoutMs is NaN/],
  [{ unique: { mode: 'once' } }, /unique\.mode is "once"; expected 'reject', 'existing'/],
  [
    { unique: { mode: 'debounce' } },
    /unique\.periodMs is undefined; expected .* which mode 'debounce' needs/,
  ],
  [{ unique: { periodMs: -1 } }, /unique\.periodMs is -1/],
  [{ unique: { scope: 'world' } }, /unique\.scope is "world"; expected 'task', 'queue' or 'store'/],
];

for (const [options, message] of WRONG) {
  test(`a definition is refused where ${message.source.replaceAll('\\', '')}`, () => {
    const error = thrownBy(() => defineTask({ name: 'thumbnail', run, ...options } as never));
    assert.equal(error.code, 'TASK_INVALID');
    assert.match(error.message, /^Task "thumbnail": /);
    assert.match(error.message, message);
    assert.equal(error.details.task, 'thumbnail');
    assert.equal((error.cause as LongshoreError).code, 'OPTION_INVALID');
  });
}

test('a task needs a name of 1 to 200 characters', () => {
  for (const name of ['', 'x'.repeat(201), undefined, 7])
    assert.match(
      thrownBy(() => defineTask({ name: name as never, run })).message,
      /^name is .+; expected a string of 1 to 200/,
    );
});

test('what is no task is not taken for one', () => {
  assert.ok(isTask(defineTask({ name: 'a', run, input: z.string() })));
  for (const value of [undefined, null, 'a', {}, { name: 'a', run }]) assert.equal(isTask(value), false);
});

test('two different tasks of one name are refused; the same one twice is one', () => {
  const [one, other] = [defineTask({ name: 'a', run }), defineTask({ name: 'a', run })];
  assert.equal(indexTasks([one, one]).get('a'), one);
  const error = thrownBy(() => indexTasks([one, other]));
  assert.deepEqual([error.code, error.details.task], ['TASK_DUPLICATE', 'a']);
});

test('a list that holds something else says where', () => {
  const error = thrownBy(() => indexTasks([defineTask({ name: 'a', run }), run as unknown as AnyTask]));
  assert.equal(error.code, 'TASK_INVALID');
  assert.match(error.message, /^tasks\[1\] is function run; expected what defineTask\(\) returns/);
});
