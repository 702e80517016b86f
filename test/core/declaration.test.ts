import assert from 'node:assert/strict';
import test from 'node:test';
import { z } from 'zod';
import { declareTask, implementTask, taskDefaults } from '../../src/core/declaration.ts';
import { type AnyTask, defineTask, indexTasks, isTask } from '../../src/core/task.ts';
import { exportedTasks } from '../../src/execution/exported-tasks.ts';
import { thrownBy } from './check.ts';

const run = (): number => 1;

test('a declaration has what enqueueing needs, and no handler', () => {
  const input = z.object({ path: z.string() });
  const unique = { key: 'one' };
  const declared = declareTask({
    name: 'a',
    input,
    queue: 'films',
    priority: 'high',
    attempts: 5,
    unique,
    key: 'k',
  });
  assert.deepEqual(
    { ...declared, schema: null },
    {
      name: 'a',
      schema: null,
      run: null,
      queue: 'films',
      priority: -10,
      attempts: 5,
      unique,
      key: 'k',
    },
  );
  assert.equal(declared.schema, input);
  assert.ok(isTask(declared));
  assert.throws(() => declareTask({ name: 'a', attempts: 0 }), {
    code: 'TASK_INVALID',
    message: /Task "a": attempts/,
  });
  assert.throws(() => declareTask({ name: '' }), { code: 'OPTION_INVALID' });
});

test('a declaration and a handler make the task that defineTask makes', () => {
  const options = { name: 'a', queue: 'films', attempts: 5 } as const;
  const handler = { backoff: 5, timeoutMs: 100, strategy: 'thread' } as const;
  const task = implementTask(declareTask(options), run, handler);
  assert.deepEqual(task, defineTask({ ...options, ...handler, run }));
  assert.equal(task.module, import.meta.url);
  assert.throws(() => implementTask(declareTask(options), run, { timeoutMs: 0 }), { code: 'TASK_INVALID' });
  assert.throws(() => implementTask(declareTask(options), 'run' as never), {
    code: 'TASK_INVALID',
    message: /run is "run"/,
  });
});

test('only a declaration is implemented, and once', () => {
  const task = defineTask({ name: 'a', run });
  assert.throws(() => implementTask(task, run), {
    code: 'TASK_INVALID',
    message: /task "a", which has a handler already/,
  });
  assert.throws(() => implementTask({} as never, run), {
    code: 'TASK_INVALID',
    message: /what declareTask\(\) returns/,
  });
});

test('a worker that is given a mere declaration says what is missing', () => {
  const error = thrownBy(() =>
    indexTasks([defineTask({ name: 'a', run }), declareTask({ name: 'b' }) as unknown as AnyTask]),
  );
  assert.equal(error.code, 'TASK_INVALID');
  assert.match(
    error.message,
    /^tasks\[1\] is the declaration of task "b", which has no handler; give the worker what implementTask\(/,
  );
});

test('declarations that are exported beside tasks are not among them', () => {
  const declared = declareTask({ name: 'a' });
  const task = implementTask(declared, run);
  assert.deepEqual([...exportedTasks({ declared, task, default: { declared, task } })], [task]);
});

test('defaults hold for what a task does not say', () => {
  const films = taskDefaults({ queue: 'films', attempts: 5, timeoutMs: 100 });
  const task = films.defineTask({ name: 'a', attempts: 2, run });
  assert.deepEqual(
    [task.queue, task.attempts, task.timeoutMs, task.module],
    ['films', 2, 100, import.meta.url],
  );
  const declared = films.declareTask({ name: 'b' });
  assert.deepEqual([declared.queue, declared.attempts], ['films', 5]);
  const implemented = films.implementTask(declared, run, { backoff: 1 });
  assert.deepEqual([implemented.queue, implemented.timeoutMs, implemented.backoff], ['films', 100, 1]);
  assert.equal(implemented.module, import.meta.url);
  assert.throws(() => taskDefaults({ queue: '*' }).defineTask({ name: 'c', run }), {
    code: 'TASK_INVALID',
    message: /queue is/,
  });
});
