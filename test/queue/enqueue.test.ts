import assert from 'node:assert/strict';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { defineTask, type EnqueueOptions, LongshoreError } from '../../src/index.ts';
import { onEachStore, record } from '../stage.ts';

const SCHEMAS = {
  zod: z.object({ path: z.string(), size: z.object({ width: z.number().int().positive() }) }),
  valibot: v.object({
    path: v.string(),
    size: v.object({ width: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
  }),
  arktype: type({ path: 'string', size: { width: 'number.integer > 0' } }),
};

for (const [library, schema] of Object.entries(SCHEMAS)) {
  onEachStore(
    `an input refused by ${library} names the field, its value and what was expected`,
    async (stage) => {
      const longshore = await stage.connect();
      const task = defineTask({
        name: 'thumbnail',
        input: schema as typeof SCHEMAS.zod,
        run: ({ input }) => input,
      });
      const good = { path: 'a.png', size: { width: 3 } };
      const job = await longshore.enqueue(task, good);
      await assert.rejects(longshore.enqueue(task, { path: 'a.png', size: { width: -2 } }), (error) => {
        assert.ok(error instanceof LongshoreError);
        assert.equal(error.code, 'INPUT_INVALID');
        assert.match(
          error.message,
          /^The input of task "thumbnail" does not match its schema: size\.width: /,
        );
        assert.match(error.message, /\(got -2\)/);
        assert.match(error.message, /0|1|positive/);
        return true;
      });
      await assert.rejects(longshore.enqueue(task, { size: { width: 1 } } as never), {
        code: 'INPUT_INVALID',
        message: /path.*\(got undefined\)/,
      });
      await assert.rejects(longshore.enqueue(task, null as never), { message: /input: .*\(got null\)/ });
      assert.equal((await longshore.jobs.list()).jobs.length, 1);
      await longshore.worker({ tasks: [task] }).runUntilIdle();
      assert.deepEqual(await job.result(), good);
    },
  );
}

onEachStore(
  'what is stored is the input as given; the handler gets the schema’s output',
  async ({ connect }) => {
    const longshore = await connect();
    const task = defineTask({
      name: 'double',
      input: z.string().transform((text) => Number(text)),
      run: ({ input }) => input * 2,
    });
    const job = await longshore.enqueue(task, '21');
    assert.equal((await longshore.jobs.get(job.id))?.input, '21');
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.equal(await job.result(), 42);
  },
);

const BAD_OPTIONS: readonly [EnqueueOptions, RegExp][] = [
  [{ queue: 'a\0b' }, /queue is .*; expected a name without control characters/],
  [{ key: 'a\n' }, /key is .*; expected a name without control characters/],
  [{ unique: { key: '\0' } }, /unique\.key is .*; expected a name without control characters/],
  [{ attempts: 0 }, /attempts is 0; expected 1 or more: attempts counts the first run/],
  [{ attempts: 1.5 }, /attempts is 1\.5; expected a whole number/],
  [{ delayMs: -1 }, /delayMs is -1; expected a number of milliseconds, 0 or more/],
  [{ delayMs: Number.NaN }, /delayMs is NaN/],
  [{ delayMs: Number.POSITIVE_INFINITY }, /delayMs is Infinity/],
  [{ delayMs: Number.MAX_VALUE }, /delayMs is 1\.79.*1,000 years/],
  [{ delayMs: '5s' as never }, /delayMs is "5s"/],
  [{ at: new Date('never') }, /at is an object \(Date\); expected a valid Date/],
  [{ at: -1 }, /at is -1/],
  [{ at: 1e300 }, /at is 1e\+300/],
  [{ at: 5, delayMs: 5 }, /at is 5; expected to be left out when delayMs is given/],
  [{ priority: 1.5 }, /priority is 1\.5; expected a 32-bit whole number/],
  [{ priority: 2 ** 31 }, /priority is 2147483648/],
  [{ priority: 'urgent' as never }, /priority is "urgent".*'high', 'medium' or 'low'/],
  [{ queue: '' }, /queue is ""; expected a string of 1 to 200 characters/],
  [{ queue: 'x'.repeat(201) }, /queue is "xxx/],
  [{ queue: '*' }, /queue is "\*"/],
  [{ unique: { mode: 'once' as never } }, /unique\.mode is "once"; expected 'reject'/],
  [{ unique: { mode: 'debounce' } }, /unique\.periodMs is undefined.*mode 'debounce'/],
  [{ unique: { key: '' } }, /unique\.key is ""/],
  [{ unique: { scope: 'world' as never } }, /unique\.scope is "world"/],
];

onEachStore(
  'a wrong option is refused by name, with its value, before anything is written',
  async ({ connect }) => {
    const longshore = await connect();
    for (const [options, message] of BAD_OPTIONS) {
      const expected = { code: 'OPTION_INVALID', message };
      await assert.rejects(longshore.enqueue('task', null, options), expected, message.source);
      await assert.rejects(longshore.enqueueMany('task', [1], options), {
        code: 'OPTION_INVALID',
        message: /^inputs\[0\]: /,
      });
    }
    assert.deepEqual((await longshore.jobs.list()).jobs, []);
  },
);

onEachStore('payloads that JSON would change are refused, naming the path', async ({ connect }) => {
  const longshore = await connect({ payloadBytesMax: 1_000 });
  const refused: readonly [unknown, string, RegExp][] = [
    [{ a: { b: [1, 1n] } }, 'PAYLOAD_NOT_JSON', /a\.b\[1\]/],
    [{ when: Number.NaN }, 'PAYLOAD_NOT_JSON', /when/],
    [() => 1, 'PAYLOAD_NOT_JSON', /the value/],
    ['x'.repeat(2_000), 'PAYLOAD_TOO_LARGE', /2002 bytes as JSON; the limit is 1000/],
  ];
  for (const [input, code, message] of refused)
    await assert.rejects(longshore.enqueue('task', input), { code, message });
  await assert.rejects(longshore.enqueue(7 as never, null as never), { code: 'TASK_INVALID' });
  await assert.rejects(longshore.enqueue('', null), { code: 'OPTION_INVALID', message: /task is ""/ });
});

onEachStore('a batch is written whole or not at all, and the error names the index', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'number', input: z.number(), run: () => undefined });
  await assert.rejects(longshore.enqueueMany(task, [1, 2, 'three' as never, 4]), {
    code: 'INPUT_INVALID',
    message: /^inputs\[2\]: .*\(got "three"\).*None of the batch was enqueued\.$/,
  });
  await assert.rejects(
    longshore.enqueueMany(task, [1, 2], (input) => ({ delayMs: -input })),
    { code: 'OPTION_INVALID', message: /^inputs\[0\]: delayMs is -1/ },
  );
  await assert.rejects(longshore.enqueueMany(task, 5 as never), {
    message: /inputs is 5; expected an array/,
  });
  assert.deepEqual((await longshore.jobs.list()).jobs, []);
  assert.deepEqual(await longshore.enqueueMany(task, []), []);
  const jobs = await longshore.enqueueMany(task, [1, 2, 3], (input) => ({ priority: input }));
  const stored = (await longshore.jobs.list()).jobs.reverse();
  assert.deepEqual(
    stored.map(({ id, input, priority }) => [id, input, priority]),
    jobs.map(({ id }, index) => [id, index + 1, index + 1]),
  );
});

onEachStore(
  'an asynchronous schema that refuses one input of a batch refuses the batch',
  async ({ connect }) => {
    const longshore = await connect();
    const task = defineTask({
      name: 'async',
      input: z.number().refine(async (number) => number < 3, 'must be below 3'),
      run: () => undefined,
    });
    await assert.rejects(longshore.enqueueMany(task, [1, 2, 3]), {
      message: /^inputs\[2\]: .*must be below 3/,
    });
    assert.equal((await longshore.enqueueMany(task, [1, 2])).length, 2);
  },
);

onEachStore('the task’s defaults hold unless an enqueue says otherwise', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({
    name: 'task',
    queue: 'films',
    priority: 'high',
    attempts: 7,
    run: () => undefined,
  });
  const facts = async (options: EnqueueOptions) => {
    const { id } = await longshore.enqueue(task, null, options);
    const job = await longshore.jobs.get(id);
    return [job?.queue, job?.priority, job?.attemptsMax, job?.state];
  };
  assert.deepEqual(await facts({}), ['films', -10, 7, 'ready']);
  assert.deepEqual(await facts({ queue: 'other', priority: 'low', attempts: 1 }), ['other', 10, 1, 'ready']);
  assert.deepEqual(await facts({ delayMs: 60_000 }), ['films', -10, 7, 'scheduled']);
  assert.deepEqual(await facts({ at: new Date(Date.now() + 60_000) }), ['films', -10, 7, 'scheduled']);
  assert.deepEqual(await facts({ at: 0 }), ['films', -10, 7, 'ready']);
  const named = await longshore.enqueue('somewhere-else', { any: 'thing' });
  assert.equal((await longshore.jobs.get(named.id))?.attemptsMax, 3);
});

onEachStore(
  'unique: `existing` gives the holder’s handle, `reject` says who holds the key',
  async ({ connect }) => {
    const longshore = await connect();
    const seen = record(longshore, 'job.enqueued');
    const unique = { key: 'report' };
    const first = await longshore.enqueue('task', 1, { unique });
    const second = await longshore.enqueue('task', 2, { unique });
    assert.deepEqual([first.status, second.status], ['created', 'existing']);
    assert.equal(second.id, first.id);
    await assert.rejects(longshore.enqueue('task', 3, { unique: { ...unique, mode: 'reject' } }), (error) => {
      assert.ok(error instanceof LongshoreError);
      assert.equal(error.code, 'UNIQUE_CONFLICT');
      assert.equal(error.details.id, first.id);
      assert.match(error.message, new RegExp(`Job ${first.id} \\(ready\\)`));
      return true;
    });
    assert.deepEqual(
      seen.map(({ event }) => event.status),
      ['created', 'existing'],
    );
  },
);

onEachStore('unique: `replace`, `debounce` and `throttle` do what their names say', async ({ connect }) => {
  const longshore = await connect();
  const enqueue = (input: number, mode: 'replace' | 'debounce' | 'throttle', periodMs?: number) =>
    longshore.enqueue('task', input, {
      unique: { key: mode, mode, ...(periodMs === undefined ? {} : { periodMs }) },
    });
  const held = await enqueue(1, 'replace');
  const replaced = await enqueue(2, 'replace');
  assert.deepEqual([replaced.status, replaced.id], ['replaced', held.id]);
  assert.equal((await longshore.jobs.get(held.id))?.input, 2);
  const quiet = await enqueue(1, 'debounce', 60_000);
  const louder = await enqueue(2, 'debounce', 60_000);
  const debounced = await longshore.jobs.get(quiet.id);
  assert.equal(louder.id, quiet.id);
  assert.deepEqual([debounced?.state, debounced?.input], ['scheduled', 2]);
  const throttled = await enqueue(1, 'throttle', 60_000);
  await longshore.jobs.cancel(throttled.id);
  const again = await enqueue(2, 'throttle', 60_000);
  assert.deepEqual([again.status, again.id], ['existing', throttled.id]);
});

onEachStore(
  'unique: without a key the input is the key, whatever the order of its fields',
  async ({ connect }) => {
    const longshore = await connect();
    const task = defineTask({ name: 'task', unique: {}, run: () => undefined });
    const first = await longshore.enqueue(task, { a: 1, b: { c: 2, d: 3 } });
    const same = await longshore.enqueue(task, { b: { d: 3, c: 2 }, a: 1 });
    const other = await longshore.enqueue(task, { a: 2 });
    const off = await longshore.enqueue(task, { a: 1, b: { c: 2, d: 3 } }, { unique: false });
    assert.equal(same.id, first.id);
    assert.deepEqual([other.status, off.status], ['created', 'created']);
    const elsewhere = await longshore.enqueue('another', { a: 2 }, { unique: {} });
    assert.equal(elsewhere.status, 'created', 'the scope is the task');
  },
);

onEachStore('unique: what is shown is the key that was given', async ({ connect }) => {
  const longshore = await connect();
  for (const [task, key] of [
    ['mail', 'welcome/7'],
    ['mail/welcome', '7'],
  ] as const) {
    const { id } = await longshore.enqueue(task, 1, { unique: { key } });
    assert.equal((await longshore.jobs.get(id))?.uniqueKey, key);
    await assert.rejects(longshore.enqueue(task, 1, { unique: { key, mode: 'reject' } }), (error) => {
      assert.ok(error instanceof LongshoreError);
      assert.match(error.message, new RegExp(`Job ${id} \\(ready\\) already holds the unique key "${key}"`));
      assert.deepEqual(error.details, { id, state: 'ready', key });
      return true;
    });
  }
  const listed = (await longshore.jobs.list()).jobs.map(({ uniqueKey }) => uniqueKey);
  assert.deepEqual(listed, ['7', 'welcome/7']);
});

onEachStore('unique: a key is free again once its job has ended', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({ name: 'task', unique: { key: 'k', mode: 'reject' }, run: () => undefined });
  const worker = longshore.worker({ tasks: [task] });
  for (const round of [1, 2]) {
    await longshore.enqueue(task, round);
    await assert.rejects(longshore.enqueue(task, round), { code: 'UNIQUE_CONFLICT' });
    await worker.runUntilIdle();
  }
});

onEachStore('a conflict within a batch says which inputs, and which jobs were added', async ({ connect }) => {
  const longshore = await connect();
  const seen = record(longshore, 'job.enqueued');
  const options = (input: number): { unique: { key: string; mode: 'reject' } } => ({
    unique: { key: `k${input % 2}`, mode: 'reject' },
  });
  await assert.rejects(
    longshore.enqueueMany('task', [0, 1, 2], (input) => options(input as number)),
    (error) => {
      assert.ok(error instanceof LongshoreError);
      assert.equal(error.code, 'UNIQUE_CONFLICT');
      const { conflicts, added } = error.details as { conflicts: { index: number }[]; added: string[] };
      assert.deepEqual(
        conflicts.map(({ index }) => index),
        [2],
      );
      assert.equal(added.length, 2);
      return true;
    },
  );
  assert.equal(seen.length, 2);
  assert.equal((await longshore.jobs.list()).jobs.length, 2);
});

onEachStore('an input is checked in the form the handler will get it in', async ({ connect }) => {
  const longshore = await connect();
  const dated = defineTask({ name: 'dated', input: z.object({ at: z.date() }), run: () => null });
  await assert.rejects(
    longshore.enqueue(dated, { at: new Date() }),
    (error: LongshoreError) => error.code === 'INPUT_INVALID' && error.message.includes('at: '),
  );
  const coerced = defineTask({
    name: 'coerced',
    input: z.object({ at: z.coerce.date() }),
    run: ({ input }) => input.at.getTime(),
  });
  const job = await longshore.enqueue(coerced, { at: new Date(5) });
  await longshore.worker({ tasks: [coerced] }).runUntilIdle();
  assert.equal(await job.result(), 5);
});

onEachStore(
  'a job that the store had to write twice, since its reply was lost, is created',
  async (stage) => {
    const longshore = await stage.connectThrough((store) => ({
      enqueue: async (specs, options) => {
        await store.enqueue(specs, options);
        return store.enqueue(
          specs.map((spec) => ({ ...spec, isNew: false })),
          options,
        );
      },
    }));
    const created = record(longshore, 'job.enqueued');
    const job = await longshore.enqueue('task', 1);
    assert.equal(job.status, 'created');
    assert.equal(created.length, 1);
    assert.equal((await longshore.enqueue('task', 1, { unique: { key: 'k' } })).status, 'created');
    assert.equal((await longshore.enqueue('task', 1, { unique: { key: 'k' } })).status, 'existing');
  },
);
