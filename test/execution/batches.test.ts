import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { LaneJob } from '../../src/execution/lane.ts';
import { Pool } from '../../src/execution/pool.ts';
import type { HostEvent } from '../../src/execution/pool-options.ts';
import { startProcess } from '../../src/execution/process.ts';
import { startThread } from '../../src/execution/thread.ts';
import { type AnyTask, LongshoreError } from '../../src/index.ts';
import { eventually, temporaryFolder } from '../stage.ts';
import { asyncStep, type Step, step } from './tasks/steps.ts';

/** A pool whose hosts know the task and are known to run it in no time; its jobs are given out by hand. */
async function stageFor(t: TestContext, lane: 'thread' | 'process', size: number, task: AnyTask = step) {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'ran');
  writeFileSync(file, '');
  const hosts: HostEvent[] = [];
  const room = new EventEmitter();
  const pool = new Pool({
    lane,
    start: lane === 'thread' ? startThread : startProcess,
    size,
    jobsPerHost: 1,
    recycleJobs: 0,
    settings: { recycleBytes: null, heapBytesMax: null, printTo: 'stderr' },
    // On a machine that is busy a host may get no core for some milliseconds: that is not what these tests are about.
    lookMs: 50,
    onHost: (event) => hosts.push(event),
    onRoom: () => room.emit('room'),
  });
  t.after(() => pool.close());
  const owner = {};
  const start = (name: string, { early = false, onUsage, ...rest }: Partial<Step> & Given = {}) => {
    const job = new GivenJob(early, { name, file, ...rest });
    const result = pool.run(task, job, { owner, onUsage });
    result.catch(() => undefined);
    return { job, result };
  };
  const ran = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  // What is expected of the next run follows the last ones, and on a busy machine some of them take long.
  const warm = async (): Promise<void> => {
    for (let short = 0; short < 40; short += 1) {
      const runs = Array.from({ length: size }, () => start('warm', { file: '' }));
      await Promise.all(runs.map(({ result }) => result));
      if (runs.some(({ job }) => (job.ranMs ?? 1) > 0.1)) short = 0;
    }
  };
  await warm();
  return { pool, start, ran, hosts, owner, warm, room, gate: join(folder, 'gate') };
}

interface Given {
  readonly early?: boolean;
  readonly onUsage?: () => void;
}

class GivenJob implements LaneJob {
  readonly within = null;
  readonly id = 'j';
  readonly queue = 'default';
  readonly key = null;
  readonly attempt = 1;
  readonly attemptsMax = 1;
  readonly payloadBytesMax = 1_000_000;
  readonly meta = null;
  abortReason: LongshoreError | null = null;
  readonly input: string;
  readonly early: boolean;
  stopper: LaneJob['stopper'] = null;
  shared: LaneJob['shared'] = null;
  ranMs: number | null = null;
  begun = 0;
  readonly said: string[] = [];
  readonly back = Promise.withResolvers<void>();

  constructor(early: boolean, input: Step) {
    this.early = early;
    this.input = JSON.stringify(input);
  }

  begin(): void {
    this.begun += 1;
  }

  wait(): void {}

  putBack(): void {
    this.back.resolve();
  }

  get durablePort(): never {
    throw new Error('The tasks of these tests keep no steps.');
  }

  readonly endsByItself = false;

  get transactionPort(): never {
    throw new Error('The tasks of these tests have no transactions.');
  }

  context() {
    return { log: (message: string) => this.said.push(message) } as unknown as ReturnType<LaneJob['context']>;
  }
}

const early = true;

for (const lane of ['thread', 'process'] as const) {
  test(`short jobs go to a ${lane} together, and their results come back as they were`, async (t) => {
    const { pool, start, owner, ran } = await stageFor(t, lane, 1);
    assert.equal(pool.roomBehind(step, owner), false);
    const first = start('ü "1"\u2028');
    assert.equal(pool.roomBehind(step, owner), true);
    const rest = ['two', 'x'.repeat(20_000), 'y'.repeat(20_000), 'five'].map((name) =>
      start(name, { early }),
    );
    const results = await Promise.all([first, ...rest].map(({ result }) => result));
    assert.deepEqual(
      results.map((result) => JSON.parse(result as string)),
      ran(),
    );
    assert.equal(results.length, 5);
    assert.equal(new Set([first, ...rest].map(({ job }) => job.shared)).size, 1);
    for (const { job } of [first, ...rest]) assert.ok((job.ranMs ?? -1) >= 0);
  });

  test(`no more go together than are short together (${lane})`, async (t) => {
    const { pool, start, owner } = await stageFor(t, lane, 1);
    const first = start('first');
    let jobs = 1;
    for (; pool.roomBehind(step, owner); jobs += 1) start(`${jobs}`, { early });
    assert.ok(jobs > 1 && jobs <= 16, `${jobs} jobs`);
    await first.result;
  });

  test(`jobs behind one that turns out long come back; those before it are told of at once (${lane})`, async (t) => {
    const { start, ran, gate } = await stageFor(t, lane, 2);
    const before = start('before');
    const long = start('long', { early, gate });
    const behind = ['a', 'b'].map((name) => start(name, { early }));
    // The gate is closed: nothing of this waits for the long one.
    assert.equal(await before.result, '"before"');
    await Promise.all(behind.map(({ job }) => job.back.promise));
    assert.equal(long.job.begun, 1);
    assert.equal(await start('a').result, '"a"');
    assert.deepEqual(ran(), ['before', 'long', 'a']);
    writeFileSync(gate, '');
    assert.equal(await long.result, '"long"');
    assert.equal(await start('b').result, '"b"');
    assert.deepEqual(ran(), ['before', 'long', 'a', 'b']);
    assert.deepEqual(
      behind.map(({ job }) => job.begun),
      [0, 0],
    );
  });

  test(`the same behind one that waits (${lane})`, async (t) => {
    const { start } = await stageFor(t, lane, 1);
    const [before, waits, behind] = [
      start('before'),
      start('waits', { early, end: 'wait' }),
      start('behind', { early }),
    ];
    await before.result;
    await behind.job.back.promise;
    assert.deepEqual([waits.job.begun, behind.job.begun], [1, 0]);
    waits.job.stopper?.kill();
    assert.equal(await start('next').result, '"next"');
  });

  test(`a ${lane} that dies under a batch is the fault of one job; those before it are done, those behind it come back`, async (t) => {
    const { start, ran, hosts, warm } = await stageFor(t, lane, 1);
    const ends = lane === 'process' ? (['exit', 'kill'] as const) : (['exit'] as const);
    for (const end of ends) {
      const done = [start('first'), start('second', { early })];
      const culprit = start(end, { early, end });
      const behind = start('behind', { early });
      assert.deepEqual(await Promise.all(done.map(({ result }) => result)), ['"first"', '"second"']);
      await assert.rejects(
        culprit.result,
        (error) => error instanceof LongshoreError && error.code === 'LANE_CRASHED',
      );
      await behind.job.back.promise;
      assert.deepEqual(ran().splice(-3), ['first', 'second', end]);
      await warm();
    }
    assert.equal(hosts.filter(({ type }) => type === 'ended').length, ends.length);
    assert.equal(ran().filter((name) => name === 'behind').length, 0);
  });

  test(`errors of a batch reach the jobs that threw them (${lane})`, async (t) => {
    const { start } = await stageFor(t, lane, 1);
    const jobs = [
      start('0', { end: 'throw' }),
      start('1', { early }),
      start('2', { early, end: 'throw' }),
      start('3', { early }),
    ];
    const settled = await Promise.allSettled(jobs.map(({ result }) => result));
    assert.deepEqual(
      settled.map((one) => (one.status === 'rejected' ? one.reason.message : one.value)),
      ['0 threw', '"1"', '2 threw', '"3"'],
    );
  });

  test(`what a job says comes before its end, in a batch as well (${lane})`, async (t) => {
    const { start } = await stageFor(t, lane, 1, asyncStep);
    const jobs = [start('0'), ...['1', '2', '3'].map((name) => start(name, { early }))];
    for (const { job, result } of jobs) {
      await result;
      assert.deepEqual([job.said, job.begun], [['said'], 1]);
    }
  });

  test(`what was handed out early and has not begun can be taken back at any time (${lane})`, async (t) => {
    const { pool, start, ran, gate } = await stageFor(t, lane, 1);
    const long = start('long', { gate });
    const behind = start('behind', { early });
    await eventually(() => ran().length === 1);
    pool.takeBack();
    await behind.job.back.promise;
    assert.equal(long.job.begun, 1);
    // Also what is not on its way yet.
    const next = start('next', { early });
    pool.takeBack();
    await next.job.back.promise;
    writeFileSync(gate, '');
    await long.result;
    assert.deepEqual(ran(), ['long']);
  });

  test(`what comes back is offered to hosts that have room (${lane})`, async (t) => {
    const { pool, start, ran, room, gate } = await stageFor(t, lane, 2);
    const long = start('long', { gate });
    const behind = start('behind', { early });
    await eventually(() => ran().length === 1);
    const offered = once(room, 'room');
    pool.takeBack();
    await behind.job.back.promise;
    await offered;
    assert.equal(pool.room, 1);
    writeFileSync(gate, '');
    await long.result;
  });

  for (const way of ['abort', 'kill'] as const)
    test(`to ${way} a job that has not begun leaves the one before it alone (${lane})`, async (t) => {
      const { start, ran, gate } = await stageFor(t, lane, 1);
      const long = start('long', { gate });
      const behind = start('behind', { early });
      await eventually(() => ran().length === 1);
      behind.job.abortReason = new LongshoreError('LEASE_LOST', 'Another worker has it.');
      behind.job.stopper?.[way](behind.job.abortReason);
      await assert.rejects(behind.result, behind.job.abortReason);
      writeFileSync(gate, '');
      assert.equal(await long.result, '"long"');
      assert.deepEqual(ran(), ['long']);
    });

  test(`a job that is to be measured goes behind no other (${lane})`, async (t) => {
    const { start } = await stageFor(t, lane, 1);
    const first = start('first');
    const measured = start('measured', { early, onUsage: () => undefined });
    await first.result;
    await measured.job.back.promise;
  });

  test(`a ${lane} has run the jobs that began in it`, async (t) => {
    const { pool, start, hosts, gate } = await stageFor(t, lane, 1);
    const counted = async (): Promise<number> => {
      await pool.close();
      const end = hosts.at(-1);
      return end?.type === 'ended' ? end.jobsRun : Number.NaN;
    };
    assert.ok((await counted()) >= 40);
    // A new host, which has to load the task with a first job.
    await start('first').result;
    const long = start('long', { gate });
    const behind = ['a', 'b', 'c'].map((name) => start(name, { early }));
    await Promise.all(behind.map(({ job }) => job.back.promise));
    writeFileSync(gate, '');
    await long.result;
    assert.equal(await counted(), 2);
  });
}
