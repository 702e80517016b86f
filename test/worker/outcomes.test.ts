import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineTask, RetryAfterError, SnoozeError } from '../../src/index.ts';
import { nextEvent, onEachStore } from '../stage.ts';
import { outcomeOf } from './one-job.ts';

onEachStore('a job that succeeds at its last attempt is completed and keeps its errors', async (stage) => {
  const { job } = await outcomeOf(
    stage,
    (attempt) => {
      if (attempt < 3) throw new Error('not yet');
      return { attempt };
    },
    { attempts: 3 },
  );
  assert.equal(job.state, 'completed');
  assert.deepEqual(job.result, { attempt: 3 });
  assert.equal(job.errors.length, 2);
});

onEachStore('the wait a RetryAfterError asks for wins over the backoff', async (stage) => {
  const { job, events } = await outcomeOf(
    stage,
    () => {
      throw new RetryAfterError('slow down', 3_600_000);
    },
    { backoff: 5 },
  );
  assert.equal(job.state, 'scheduled');
  assert.deepEqual(
    events.map(({ event }) => 'delayMs' in event && event.delayMs),
    [3_600_000],
  );
  assert.ok(job.dueAt - (job.startedAt ?? 0) >= 3_600_000);
});

onEachStore('a RetryAfterError at the last attempt fails the job all the same', async (stage) => {
  const { job } = await outcomeOf(
    stage,
    () => {
      throw new RetryAfterError('slow down', 1);
    },
    { attempts: 1 },
  );
  assert.equal(job.state, 'failed');
});

onEachStore('a snooze is not charged, however often', async (stage) => {
  let runs = 0;
  const { job, tally } = await outcomeOf(
    stage,
    (attempt) => {
      runs += 1;
      if (runs < 5) throw new SnoozeError(0);
      return attempt;
    },
    { attempts: 1 },
  );
  assert.equal(job.state, 'completed');
  assert.equal(job.result, 1);
  assert.equal(job.attempt, 1);
  assert.deepEqual(job.errors, []);
  assert.equal(tally.snoozed, 4);
});

onEachStore('a wait too long for any calendar is refused where it is asked for', async (stage) => {
  assert.throws(() => new SnoozeError(Number.MAX_VALUE), { code: 'OPTION_INVALID' });
  assert.throws(() => new RetryAfterError('later', 1e300), { code: 'OPTION_INVALID' });
  const { job } = await outcomeOf(
    stage,
    () => {
      throw new Error('no');
    },
    { backoff: () => 1e300 },
  );
  assert.equal(job.state, 'scheduled');
  assert.match(job.errors[0]?.message ?? '', /^no \(backoff failed: .*1e\+300/);
});

onEachStore('a backoff function that throws costs its wait, not the job', async (stage) => {
  const { job, tally } = await outcomeOf(
    stage,
    () => {
      throw new Error('no');
    },
    {
      backoff: () => {
        throw new Error('division by zero');
      },
    },
  );
  assert.equal(job.state, 'scheduled');
  assert.equal(tally.retried, 1);
  assert.equal(job.errors[0]?.message, 'no (backoff failed: division by zero)');
});

onEachStore('a backoff function is given the attempt and what was thrown', async (stage) => {
  const thrown = new Error('no');
  const calls: unknown[] = [];
  await outcomeOf(
    stage,
    () => {
      throw thrown;
    },
    {
      backoff: (attempt, error) => {
        calls.push([attempt, error === thrown]);
        return 0;
      },
    },
  );
  assert.deepEqual(calls, [
    [1, true],
    [2, true],
  ]);
});

onEachStore('a handler that returns undefined completes without a result', async (stage) => {
  const { job } = await outcomeOf(stage, () => undefined);
  assert.equal(job.state, 'completed');
  assert.equal(job.result, undefined);
});

const NOT_ERRORS: readonly [string, unknown, RegExp][] = [
  ['undefined', undefined, /threw undefined/],
  ['null', null, /threw null/],
  ['a string', 'broken', /threw "broken"/],
  ['a symbol', Symbol('broken'), /threw Symbol\(broken\)/],
  ['an object without a prototype', Object.create(null), /threw an object/],
];

for (const [what, thrown, message] of NOT_ERRORS) {
  onEachStore(`a handler that throws ${what} leaves an error that says so`, async (stage) => {
    const { job } = await outcomeOf(
      stage,
      () => {
        throw thrown;
      },
      { attempts: 1 },
    );
    assert.equal(job.state, 'failed');
    assert.equal(job.errors[0]?.name, 'NonError');
    assert.match(job.errors[0]?.message ?? '', message);
  });
}

const HOSTILE_ERRORS: readonly [string, () => unknown][] = [
  ['whose message cannot be read', () => hostile('message')],
  ['whose stack is not a text', () => Object.assign(new Error('odd'), { stack: [{ line: 1 }] })],
  ['whose name is a number', () => Object.assign(new Error('odd'), { name: 7 })],
  [
    'that is a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
  ],
];

for (const [what, make] of HOSTILE_ERRORS) {
  onEachStore(`a thrown value ${what} fails its job and frees the slot`, async (stage) => {
    const { job, worker } = await outcomeOf(
      stage,
      () => {
        throw make();
      },
      { attempts: 1 },
    );
    assert.equal(job.state, 'failed');
    assert.equal(typeof job.errors[0]?.message, 'string');
    assert.equal(worker.running, 0);
  });
}

function hostile(property: string): Error {
  return Object.defineProperty(new Error('odd'), property, {
    get() {
      throw new Error('not readable');
    },
  });
}

const BAD_RESULTS: readonly [string, () => unknown, string, RegExp][] = [
  ['is a function', () => () => 1, 'PAYLOAD_NOT_JSON', /result of task "task"/],
  ['holds a bigint', () => ({ sum: 1n }), 'PAYLOAD_NOT_JSON', /sum/],
  ['holds NaN', () => [Number.NaN], 'PAYLOAD_NOT_JSON', /\[0\]/],
  ['is a Map', () => new Map(), 'PAYLOAD_NOT_JSON', /Map/],
  ['is too large', () => 'x'.repeat(2_000), 'PAYLOAD_TOO_LARGE', /2002 bytes.*1000/],
  ['refers to itself', cyclic, 'PAYLOAD_NOT_JSON', /refers to itself|itself/],
];

for (const [what, make, code, message] of BAD_RESULTS) {
  onEachStore(`a result that ${what} fails the job at once, with ${code}`, async (stage) => {
    const { job } = await outcomeOf(stage, make, { attempts: 5 });
    assert.equal(job.state, 'failed');
    assert.equal(job.attempt, 1);
    assert.equal(job.errors[0]?.code, code);
    assert.match(job.errors[0]?.message ?? '', message);
  });
}

function cyclic(): unknown {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}

onEachStore(
  'an input that no longer fits its schema fails the job before its handler runs',
  async (stage) => {
    const longshore = await stage.connect();
    let runs = 0;
    const task = defineTask({
      name: 'resize',
      input: z.object({ width: z.number() }),
      run: () => {
        runs += 1;
      },
    });
    const bad = await longshore.enqueue('resize', { width: 'wide' });
    const good = await longshore.enqueue(task, { width: 3 });
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    await good.result();
    assert.equal(runs, 1);
    const job = await longshore.jobs.get(bad.id);
    assert.equal(job?.state, 'failed');
    assert.equal(job?.attempt, 1);
    assert.equal(job?.errors[0]?.code, 'INPUT_INVALID');
    assert.match(job?.errors[0]?.message ?? '', /width: .*\(got "wide"\)/);
  },
);

onEachStore("a handler is given its schema's output and its own job's facts", async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({
    name: 'trim',
    queue: 'texts',
    attempts: 4,
    input: z.object({ text: z.string().trim(), times: z.number().default(2) }),
    run: async ({ id, task: name, queue, input, attempt, attemptsMax, signal }) => ({
      ...{ id, name, queue, attempt, attemptsMax, aborted: signal.aborted },
      text: input.text.repeat(input.times),
    }),
  });
  const job = await longshore.enqueue(task, { text: ' ab ' });
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  assert.deepEqual(await job.result(), {
    id: job.id,
    name: 'trim',
    queue: 'texts',
    attempt: 1,
    attemptsMax: 4,
    aborted: false,
    text: 'abab',
  });
});

onEachStore('an asynchronous schema is awaited before the handler runs', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({
    name: 'async-schema',
    attempts: 1,
    input: z.string().refine(async (text) => text !== 'bad', 'must not be bad'),
    run: ({ input }) => input.length,
  });
  await assert.rejects(longshore.enqueue(task, 'bad'), { code: 'INPUT_INVALID' });
  const good = await longshore.enqueue(task, 'good');
  const bad = await longshore.enqueue('async-schema', 'bad');
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  assert.equal(await good.result(), 4);
  assert.equal((await longshore.jobs.get(bad.id))?.errors[0]?.code, 'INPUT_INVALID');
});

onEachStore('a retried job waits for its backoff and then runs by itself', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({
    name: 'second-time-lucky',
    backoff: 30,
    run: ({ attempt }) => {
      if (attempt === 1) throw new Error('no');
      return attempt;
    },
  });
  const retried = nextEvent(longshore, 'job.retried');
  await longshore.worker({ tasks: [task], pollMs: 3_600_000 }).start();
  const job = await longshore.enqueue(task, null);
  assert.equal((await retried).delayMs, 30);
  assert.equal(await job.result(), 2);
});
