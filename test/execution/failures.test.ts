import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type AnyTask,
  connect,
  defineTask,
  type JobDetail,
  type Longshore,
  LongshoreError,
  type WorkerOptions,
} from '../../src/index.ts';
import { eventually, nextEvent, record, temporaryFolder } from '../stage.ts';
import * as tasks from './tasks/failures.ts';

const MIB = 1_048_576;
const { default: inDefault, unexported, theHidden, ...named } = tasks;
const all: AnyTask[] = [...Object.values(named), ...unexported, ...Object.values(inDefault), theHidden()];

type HardStrategy = 'thread' | 'process';

async function start(t: TestContext, options: Partial<WorkerOptions>): Promise<Longshore> {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  await longshore
    .worker({ tasks: all, graceMs: 100, abortGraceMs: 100, heapBytesMax: 32 * MIB, ...options })
    .start();
  return longshore;
}

async function end(longshore: Longshore, task: string, input: unknown = null): Promise<JobDetail> {
  const job = await longshore.enqueue(task, input, { attempts: 1 });
  await job.result().catch(() => undefined);
  return (await longshore.jobs.get(job.id)) as JobDetail;
}

const EXPECTED: readonly [AnyTask, string, RegExp, HardStrategy | 'both'][] = [
  [
    tasks.exits,
    'LANE_CRASHED',
    /^The (thread|process) that ran task "exits" ended: process\.exit\(7\) was called\.$/,
    'both',
  ],
  [tasks.throwsLater, 'LANE_CRASHED', /an exception that nothing caught, TypeError: too late/, 'both'],
  [tasks.rejectsLater, 'LANE_CRASHED', /a rejected promise that nothing handled, RangeError: stray/, 'both'],
  [tasks.aborts, 'LANE_CRASHED', /signal SIGABRT/, 'process'],
  [tasks.killsItself, 'LANE_CRASHED', /signal SIGSEGV/, 'process'],
  [tasks.fillsMemory, 'LANE_OUT_OF_MEMORY', /reached its heap limit of 32 MiB\. Raise heapBytesMax/, 'both'],
  [tasks.loops, 'JOB_TIMED_OUT', /timeout of 100 ms/, 'both'],
  [
    tasks.loopsSilently,
    'JOB_HEARTBEAT_MISSED',
    /no sign of life for its heartbeat timeout of 100 ms/,
    'both',
  ],
  [tasks.hangs, 'JOB_TIMED_OUT', /timeout of 100 ms/, 'both'],
  [
    theHidden(),
    'TASK_MODULE_UNLOADABLE',
    /exports no task named "hidden" \(tasks it exports: .*"fine"/,
    'both',
  ],
];

for (const strategy of ['thread', 'process'] as const) {
  test(`a handler that ends its ${strategy} fails with an error that says how, and the next job runs`, async (t) => {
    const longshore = await start(t, { strategy });
    for (const [task, code, message, where] of EXPECTED) {
      if (where !== 'both' && where !== strategy) continue;
      const { state, errors } = await end(longshore, task.name);
      assert.deepEqual([task.name, state, errors[0]?.code], [task.name, 'failed', code]);
      assert.match(errors[0]?.message ?? '', message);
      assert.equal((await end(longshore, 'fine', 1)).result, 1);
    }
  });

  test(`tasks are found in lists and in the default export (${strategy})`, async (t) => {
    const longshore = await start(t, { strategy });
    assert.equal((await end(longshore, 'in-a-list')).result, 'found in a list');
    assert.equal((await end(longshore, 'in-default')).result, 'found in the default');
  });

  test(`modules that throw, exit, hold a syntax error or start a worker are told of (${strategy})`, async (t) => {
    const folder = await temporaryFolder(t);
    const entry = new URL('../../src/index.ts', import.meta.url).href;
    const modules = {
      'throws.mjs': ['throw new Error("no database")', /Error: no database/],
      'exits.mjs': ['process.exit(4)', /process\.exit\(4\) was called/],
      'syntax.mjs': ['export const = 1', /SyntaxError/],
      'missing.mjs': [null, /Cannot find module/],
      'starts.mjs': [
        `import { connect, defineTask } from '${entry}'; const l = await connect('memory:'); await l.worker({ tasks: [defineTask({ name: 'x', run: () => 1 })] }).start();`,
        /starts a worker when it is imported/,
      ],
    } as const;
    const list: AnyTask[] = [];
    for (const [file, [text]] of Object.entries(modules)) {
      if (text !== null) await writeFile(join(folder, file), text);
      list.push(defineTask({ name: file, module: join(folder, file), attempts: 1, run: () => 1 }));
    }
    const longshore = await start(t, { strategy, tasks: [...list, tasks.fine] });
    for (const [file, [, reason]] of Object.entries(modules)) {
      const { errors } = await end(longshore, file);
      assert.equal(errors[0]?.code, 'TASK_MODULE_UNLOADABLE', file);
      assert.match(errors[0]?.message ?? '', reason);
    }
    assert.equal((await end(longshore, 'fine', 2)).result, 2);
  });

  test(`a cancelled job that does not listen is stopped after the grace (${strategy})`, async (t) => {
    const longshore = await start(t, { strategy, concurrency: 1 });
    const job = await longshore.enqueue('waits', null);
    await eventually(async () => ((await longshore.jobs.get(job.id))?.logs.length ?? 0) > 0);
    const stopped = nextEvent(longshore, 'job.abandoned');
    const ended = nextEvent(longshore, 'host.ended');
    const cancelled = nextEvent(longshore, 'job.cancelled');
    await longshore.jobs.cancel([job.id]);
    assert.equal((await stopped).stopped, true);
    assert.equal((await ended).why, 'killed');
    await cancelled;
    assert.equal((await longshore.jobs.get(job.id))?.state, 'cancelled');
  });

  test(`several jobs in one host: the one to blame fails, the others run again uncharged (${strategy})`, async (t) => {
    const longshore = await start(t, { strategy, threads: 1, processes: 1, jobsPerHost: 4, concurrency: 4 });
    const bystanders = await longshore.enqueueMany('slow', [800, 800]);
    await eventually(async () => {
      const details = await Promise.all(bystanders.map(({ id }) => longshore.jobs.get(id)));
      return details.every((detail) => (detail?.logs.length ?? 0) > 0);
    });
    const culprit = await end(longshore, 'throws-later');
    assert.equal(culprit.errors[0]?.code, 'LANE_CRASHED');
    for (const job of bystanders) {
      assert.equal(await job.result(), 'done');
      const { attempt, errors, logs } = (await longshore.jobs.get(job.id)) as JobDetail;
      assert.deepEqual([attempt, errors.length, logs.length], [1, 0, 2]);
    }
  });

  test(`what an ended job left behind is not blamed on the next one in its host (${strategy})`, async (t) => {
    const longshore = await start(t, { strategy, threads: 1, processes: 1 });
    const crashed = nextEvent(longshore, 'host.ended', ({ why }) => why === 'crashed');
    await end(longshore, 'leaves-bomb', 50);
    const job = await longshore.enqueue('slow', 200);
    await crashed;
    assert.equal(await job.result(), 'done');
    assert.deepEqual((await longshore.jobs.get(job.id))?.errors, []);
  });

  test(`a host is replaced after so many jobs (${strategy})`, async (t) => {
    const longshore = await start(t, { strategy, threads: 1, processes: 1, recycleJobs: 3 });
    const ended = record(longshore, 'host.ended');
    for (let n = 0; n < 7; n += 1) assert.equal((await end(longshore, 'fine', n)).result, n);
    await eventually(() => ended.length === 2);
    assert.deepEqual(
      ended.map(({ event }) => [event.why, event.jobsRun]),
      [
        ['retired', 3],
        ['retired', 3],
      ],
    );
  });
}

for (const strategy of ['thread', 'process'] as const) {
  test(`a host that holds too much memory after a job is replaced, others are not (${strategy})`, async (t) => {
    for (const [recycleBytes, hosts] of [
      [1, 3],
      [4_096 * MIB, 1],
    ] as const) {
      const longshore = await start(t, { strategy, threads: 1, processes: 1, recycleBytes });
      const [started, ended] = [record(longshore, 'host.started'), record(longshore, 'host.ended')];
      for (let n = 0; n < 3; n += 1) assert.equal((await end(longshore, 'fine', n)).result, n);
      await eventually(() => ended.length >= hosts - 1);
      assert.equal(started.length, hosts);
      assert.ok(ended.every(({ event }) => event.why === 'retired' && event.jobsRun === 1));
    }
  });
}

test('several jobs in a process that a signal ends: no one is blamed before it has run alone', async (t) => {
  const longshore = await start(t, { strategy: 'process', processes: 1, jobsPerHost: 4, concurrency: 4 });
  const bystander = await longshore.enqueue('slow', 800);
  await eventually(async () => ((await longshore.jobs.get(bystander.id))?.logs.length ?? 0) > 0);
  const crashes = record(longshore, 'host.ended');
  const culprit = await end(longshore, 'kills-itself');
  assert.match(culprit.errors[0]?.message ?? '', /SIGSEGV/);
  assert.equal(await bystander.result(), 'done');
  assert.deepEqual((await longshore.jobs.get(bystander.id))?.errors, []);
  assert.equal(crashes.filter(({ event }) => event.why === 'crashed').length, 2);
});

test('the event loop of the worker is free while a thread computes', async (t) => {
  const longshore = await start(t, { tasks: [tasks.loops], strategy: 'thread', queues: ['default'] });
  const inline = defineTask({ name: 'inline', queue: 'quick', run: () => 'ran' });
  await longshore.worker({ tasks: [inline] }).start();
  const began = nextEvent(longshore, 'host.started');
  const looping = await longshore.enqueue('loops', null);
  await began;
  assert.equal(await (await longshore.enqueue(inline, null)).result(), 'ran');
  assert.equal((await longshore.jobs.get(looping.id))?.state, 'running');
  await assert.rejects(looping.result());
});

test('a stop ends what runs in a thread and gives it back; what would have waited for one was not claimed', async () => {
  const longshore = await connect('memory:');
  const worker = longshore.worker({ tasks: all, strategy: 'thread', threads: 1, abortGraceMs: 50 });
  await worker.start();
  const [first, second] = await longshore.enqueueMany('waits', [1, 2]);
  await eventually(async () => ((await longshore.jobs.get(first?.id ?? ''))?.logs.length ?? 0) > 0);
  assert.equal((await longshore.jobs.get(second?.id ?? ''))?.state, 'ready');
  await worker.stop({ graceMs: 50 });
  assert.equal(worker.tally.released, 1);
  assert.equal((await longshore.jobs.get(first?.id ?? ''))?.state, 'ready');
  assert.equal((await longshore.jobs.get(second?.id ?? ''))?.state, 'ready');
  await longshore.close();
});

test('a task that cannot be imported is refused where threads or processes are asked for', async (t) => {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  for (const options of [{ strategy: 'thread' }, { strategy: 'process' }, { hint: 'isolate' }] as const) {
    const task = defineTask({ name: 'here', run: () => 1, ...options });
    assert.throws(
      () => longshore.worker({ tasks: [task] }),
      (error) =>
        error instanceof LongshoreError &&
        error.code === 'TASK_INVALID' &&
        /start module.*move it to a file of its own/.test(error.message),
    );
  }
});

test('a process that the system refuses to start fails the job, not the worker', {
  skip: process.platform === 'linux' ? false : 'elsewhere an environment may be larger',
}, async (t) => {
  const longshore = await start(t, { strategy: 'process' });
  t.after(() => delete process.env.LONGSHORE_TEST_TOO_LONG);
  process.env.LONGSHORE_TEST_TOO_LONG = 'x'.repeat(200_000);
  const { errors } = await end(longshore, 'fine', 1);
  assert.equal(errors[0]?.code, 'LANE_CRASHED');
  assert.match(errors[0]?.message ?? '', /it could not start, Error: spawn E2BIG/);
  delete process.env.LONGSHORE_TEST_TOO_LONG;
  assert.equal((await end(longshore, 'fine', 1)).result, 1);
});
