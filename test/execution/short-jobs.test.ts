import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type AnyTask,
  connect,
  type JobHandle,
  type Longshore,
  type Worker,
  type WorkerOptions,
} from '../../src/index.ts';
import { eventually, record, temporaryFolder } from '../stage.ts';
import { exclusiveStep, type Step, step, timedStep } from './tasks/steps.ts';

/** Handlers known to be short, so that hosts are handed several at once; and then one is not. */
async function stageFor(
  t: TestContext,
  strategy: 'thread' | 'process',
  options: Partial<WorkerOptions> = {},
) {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'ran');
  writeFileSync(file, '');
  const longshore = await connect('memory:', { workerSettings: { graceMs: 0, abortGraceMs: 50 } });
  t.after(() => longshore.close());
  const settings: WorkerOptions = {
    tasks: [step, timedStep, exclusiveStep],
    strategy,
    threads: 2,
    processes: 2,
    concurrency: 8,
    pollMs: 20,
    ...options,
  };
  const steps = (list: Partial<Step>[], task: AnyTask = step): Promise<JobHandle[]> =>
    longshore.enqueueMany(
      task.name,
      list.map((one, n) => ({ name: `${n}`, file, ...one })),
      { attempts: 1 },
    );
  const warm = async (): Promise<void> => {
    for (const task of [step, timedStep, exclusiveStep])
      for (let n = 0; n < 10; n += 1)
        await Promise.all((await steps([{}, {}, {}, {}], task)).map((job) => job.result()));
    writeFileSync(file, '');
  };
  const worker = longshore.worker(settings);
  await worker.start();
  await warm();
  const ran = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return { longshore, worker, settings, steps, ran, gate: join(folder, 'gate') };
}

const shorts = Array.from({ length: 30 }, () => ({}));

async function assertIdle(worker: Worker): Promise<void> {
  await eventually(() => worker.slots.used === 0 && worker.running === 0);
}

async function attemptsOf(longshore: Longshore, jobs: readonly JobHandle[]): Promise<unknown[]> {
  const details = await Promise.all(jobs.map(({ id }) => longshore.jobs.get(id)));
  return details.map((detail) => [detail?.state, detail?.attempt, detail?.errors.length]);
}

for (const strategy of ['thread', 'process'] as const) {
  test(`jobs handed out behind a long one run while it runs, once each (${strategy})`, async (t) => {
    const { longshore, worker, steps, ran, gate } = await stageFor(t, strategy);
    const started = record(longshore, 'job.started');
    for (let round = 1; round <= 5; round += 1) {
      const [long, ...rest] = await steps([{ name: 'long', gate: `${gate}${round}` }, ...shorts]);
      await Promise.all(rest.map((job) => job.result()));
      assert.deepEqual([worker.running, worker.slots.used], [1, 1]);
      writeFileSync(`${gate}${round}`, '');
      assert.equal(await long?.result(), 'long');
      assert.equal(ran().length, 31 * round);
      for (const one of await attemptsOf(longshore, rest)) assert.deepEqual(one, ['completed', 1, 0]);
    }
    assert.equal(new Set(started.map(({ event }) => event.id)).size, 155);
    assert.equal(started.length, 155);
    await assertIdle(worker);
  });

  test(`where all hosts are busy, jobs that were handed out go back, and other workers run them (${strategy})`, async (t) => {
    const { longshore, worker, settings, steps, gate } = await stageFor(t, strategy);
    const jobs = await steps([{ gate }, { gate }, ...shorts]);
    await eventually(() => worker.running === 2);
    const other = longshore.worker({ ...settings, recycleJobs: 1_000 });
    await other.start();
    await Promise.all(jobs.slice(2).map((job) => job.result()));
    writeFileSync(gate, '');
    await Promise.all(jobs.map((job) => job.result()));
    for (const one of await attemptsOf(longshore, jobs)) assert.deepEqual(one, ['completed', 1, 0]);
    await assertIdle(worker);
  });

  test(`among short jobs, one that ends its ${strategy} fails alone`, async (t) => {
    const { longshore, worker, steps, ran } = await stageFor(t, strategy, { threads: 1, processes: 1 });
    const end = strategy === 'thread' ? 'exit' : 'kill';
    const list = shorts.map((_, n) => (n % 10 === 4 ? { end: end as 'exit' | 'kill' } : {}));
    const jobs = await steps(list);
    await Promise.allSettled(jobs.map((job) => job.result()));
    const expected = list.map((one) => ('end' in one ? ['failed', 1, 1] : ['completed', 1, 0]));
    assert.deepEqual(await attemptsOf(longshore, jobs), expected);
    assert.equal(ran().length, 30);
    await assertIdle(worker);
  });

  test(`among short jobs, one that runs longer than its timeout fails alone (${strategy})`, async (t) => {
    const { longshore, worker, steps, ran } = await stageFor(t, strategy);
    const list = shorts.map((_, n) => (n % 10 === 4 ? { end: 'loop' as const } : {}));
    const jobs = await steps(list, timedStep);
    await Promise.allSettled(jobs.map((job) => job.result()));
    const details = await Promise.all(jobs.map(({ id }) => longshore.jobs.get(id)));
    assert.deepEqual(
      details.map((detail) => detail?.errors.map(({ code }) => code)),
      list.map((one) => ('end' in one ? ['JOB_TIMED_OUT'] : [])),
    );
    assert.equal(ran().length, 30);
    await assertIdle(worker);
  });

  test(`a job that was handed out and has not begun is cancelled at once, and never runs (${strategy})`, async (t) => {
    const { longshore, worker, steps, ran, gate } = await stageFor(t, strategy, { threads: 1, processes: 1 });
    const [long, ...rest] = await steps([{ name: 'long', gate }, ...shorts.slice(0, 5)]);
    await longshore.jobs.cancel(rest.map(({ id }) => id));
    await eventually(async () =>
      (await attemptsOf(longshore, rest)).every((one) => (one as string[])[0] === 'cancelled'),
    );
    writeFileSync(gate, '');
    await long?.result();
    assert.deepEqual(ran(), ['long']);
    await assertIdle(worker);
  });

  test(`a worker that stops gives back what was handed out and has not begun (${strategy})`, async (t) => {
    const { longshore, worker, steps, ran, gate } = await stageFor(t, strategy, { threads: 1, processes: 1 });
    const [long, ...rest] = await steps([{ name: 'long', gate }, ...shorts.slice(0, 5)]);
    await eventually(() => ran().length > 0);
    const stopped = worker.stop({ graceMs: 10_000 });
    await eventually(async () =>
      (await attemptsOf(longshore, rest)).every((one) => (one as string[])[0] === 'ready'),
    );
    writeFileSync(gate, '');
    await stopped;
    assert.equal(await long?.result(), 'long');
    assert.deepEqual(ran(), ['long']);
  });

  test(`concurrency holds for jobs that are handed out together (${strategy})`, async (t) => {
    const { steps, worker, gate } = await stageFor(t, strategy, { concurrency: 1 });
    // Each fails that finds another one running.
    const jobs = await steps(new Array(400).fill({ gate }), exclusiveStep);
    await Promise.all(jobs.map((job) => job.result()));
    await assertIdle(worker);
  });
}
