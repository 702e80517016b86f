import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bench, benchInterrupted, temporaryFolder } from './bench-process.ts';

const TASKS = fileURLToPath(new URL('./fixtures/own-tasks.ts', import.meta.url));
const SHORT = ['--cell-time', '50ms', '--time', '10m'];

interface Cell {
  readonly id: string;
  readonly workload: Readonly<Record<string, unknown>>;
  readonly status: string;
  readonly figures: Readonly<Record<string, { readonly unit: string; readonly values: readonly number[] }>>;
  readonly details: { readonly counts: Readonly<Record<string, number>> };
}

interface Result {
  readonly schema: string;
  readonly command: string;
  readonly cells: readonly Cell[];
  readonly task: {
    readonly name: string;
    readonly inputs: number;
    readonly leftOut: readonly { readonly strategy: string; readonly why: string }[];
    readonly recommendation: {
      readonly strategy: string;
      readonly concurrency: number;
      readonly why: readonly string[];
      readonly paste: { readonly code: string; readonly shell: string };
    };
    readonly profile: null | {
      readonly files: readonly string[];
      readonly hottest: readonly { readonly name: string; readonly place: string; readonly share: number }[];
    };
  };
}

async function result(...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await bench(...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Result;
}

describe('bench task', { concurrency: 2 }, () => {
  test('a task that computes is measured in every place, with its jobs counted', async (t) => {
    const output = join(temporaryFolder(t), 'result.json');
    const args = ['--task', 'computes', '--input', '{"rounds":50}', '--input', '{"rounds":60}'];
    const { cells, task, schema, command } = await result(
      ...[TASKS, ...args, ...SHORT, '--concurrency', '2', '--output', output],
    );
    assert.deepEqual([schema, command, task.name, task.inputs], ['longshore-bench/2', 'task', 'computes', 2]);
    const settings = cells.map(({ workload }) => `${workload.strategy} ${workload.concurrency}`);
    assert.deepEqual(settings, ['async 2', 'thread 2', 'process 2']);
    for (const { status, figures, details } of cells) {
      const { enqueued = 0, completed = 0, unstarted = 0 } = details.counts;
      assert.deepEqual([status, enqueued], ['done', completed + unstarted]);
      assert.ok(completed > 0);
      assert.deepEqual(figures.jobsPerSecond?.values.length, 1);
    }
    const { strategy, concurrency, why, paste } = task.recommendation;
    assert.ok(
      cells.some(({ workload }) => workload.strategy === strategy && workload.concurrency === concurrency),
    );
    assert.ok(why.length > 3);
    assert.match(paste.code, new RegExp(`strategy: '${strategy}', concurrency: ${concurrency}`));
    assert.deepEqual(JSON.parse(readFileSync(output, 'utf8')).cells, cells);
  });

  test('jobs that wait are tried up to a bound, other prefetch too, and the best cell again', async () => {
    const { cells, task } = await result(
      ...[TASKS, '--task', 'waits', ...SHORT, '--strategy', 'async', '--concurrency-max', '4'],
    );
    const { concurrency } = task.recommendation;
    const climbed = cells.filter(({ workload }) => workload.prefetchMax === 1_000);
    assert.deepEqual(climbed[0]?.workload.concurrency, 1);
    assert.ok(climbed.every(({ workload }) => (workload.concurrency as number) <= 4));
    const best = climbed.find(({ workload }) => workload.concurrency === concurrency);
    assert.equal(best?.figures.jobsPerSecond?.values.length, 2);
    const prefetched = cells.filter(({ workload }) => workload.prefetchMax === 0);
    assert.ok(prefetched.length > 0);
  });

  test('the table and the advice go to standard output, progress and what handlers print do not', async (t) => {
    const inputs = join(temporaryFolder(t), 'inputs.jsonl');
    writeFileSync(inputs, '{"n":1}\n\n{"n":2}\n{"n":3}\n');
    const args = ['--task', 'mixes', '--inputs', inputs, '--strategy', 'async,thread', '--concurrency', '2'];
    const { code, stdout, stderr } = await bench(TASKS, ...args, ...SHORT, '--prefetch', '0');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ +STRATEGY +AT A TIME +PREFETCH +JOBS\/S/m);
    assert.match(stdout, /^Use for mixes: (async|thread), 2 at a time \(.* jobs\/s, p99 .*\)$/m);
    assert.match(stdout, /^ {2}longshore\.worker\(\{ tasks, .*concurrency: 2,.* prefetchMax: 0 \}\);$/m);
    assert.match(stdout, /^ {2}\$ longshore work --tasks .* --concurrency 2 .*--prefetch 0$/m);
    assert.match(stdout, /^[\d,]+ jobs in 2 cells; each ran exactly once\.$/m);
    assert.ok(![stdout, stderr].some((text) => text.includes('must not mix') || text.includes('\u001b')));
    assert.match(stderr, /^thread, 2 at a time, prefetch 0; at most \d+ s more …$/m);
  });

  test('a profile has files for every thread that ran jobs, a heap snapshot, and the hottest functions', async (t) => {
    const folder = join(temporaryFolder(t), 'profiles');
    const args = ['--task', 'computes', '--input', '{"rounds":3000}', '--strategy', 'thread'];
    const { task } = await result(TASKS, ...args, ...SHORT, '--concurrency', '2', '--profile', folder);
    assert.deepEqual(readdirSync(folder).sort(), [...(task.profile?.files ?? [])].sort());
    const endings = (task.profile?.files ?? []).map((name) => name.replace(/^.*\./, ''));
    assert.equal(endings.filter((ending) => ending === 'heapsnapshot').length, 1);
    assert.ok(endings.filter((ending) => ending === 'cpuprofile').length >= 1);
    assert.ok((task.profile?.files ?? []).some((name) => name.startsWith('thread-')));
    const { hottest = [] } = task.profile ?? {};
    assert.ok(hottest.length <= 10);
    const mix = hottest.find(({ name }) => name === 'mix');
    assert.match(mix?.place ?? '', /test\/bench\/fixtures\/own-tasks\.ts:6$/);
    assert.ok((mix?.share ?? 0) > 0);
    const heap = task.profile?.files.find((name) => name.endsWith('heapsnapshot')) ?? '';
    assert.ok('snapshot' in JSON.parse(readFileSync(join(folder, heap), 'utf8')));
  });

  for (const [task, code, pattern] of [
    ['throws', 'JOB_FAILED', /handler threw TypeError: no such file a\.png/],
    ['never', 'JOB_TIMED_OUT', /has not ended within 2 s/],
    ['loops', 'JOB_TIMED_OUT', /keeps the event loop and has not ended within 2 s/],
    ['exits', 'LANE_CRASHED', /ended the process it ran in \(exit code 3\)/],
    ['snoozes', 'JOB_SUSPENDED', /put the job off/],
    ['computes', 'INPUT_INVALID', /Invalid input/],
  ] as const) {
    test(`a task that ${task} ends it with ${code}, a remedy, and exit code 1`, async () => {
      const args = ['--task', task, '--strategy', 'async', '--job-timeout', '2s', '--json'];
      const { code: exit, stdout, stderr } = await bench(TASKS, ...args);
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string; exitCode: number } };
      assert.deepEqual([exit, error.code, error.exitCode], [1, code, 1]);
      assert.match(error.message, pattern);
      assert.match(error.message, /\n[A-Z].*\.$/);
      assert.match(stderr, new RegExp(`^error ${code}: Task '${task}', async, 1 at a time: `, 'm'));
    });
  }

  for (const [sabotage, complaint] of [
    ['lost', /the handler ran for 0 jobs, and 1 are completed/],
    ['repeated', /the handler ran 1 times more than it has jobs/],
  ] as const) {
    test(`a ${sabotage} job fails it, and there are no figures`, async (t) => {
      const output = join(temporaryFolder(t), 'result.json');
      const args = ['--task', 'waits', '--strategy', 'async', '--sabotage', sabotage, '--output', output];
      const { code, stdout, stderr } = await bench(TASKS, ...args);
      assert.deepEqual([code, stdout, existsSync(output)], [1, '', false]);
      assert.match(stderr, complaint);
    });
  }

  test('a module that threads cannot import is measured on the event loop alone, and the report says so', async (t) => {
    const file = mainThreadOnly(temporaryFolder(t));
    const { task, cells } = await result(file, ...SHORT, '--concurrency', '1');
    assert.deepEqual(
      task.leftOut.map(({ strategy }) => strategy),
      ['thread', 'process'],
    );
    for (const { why } of task.leftOut) assert.match(why, /only here/);
    assert.deepEqual(cells.length, 1);
  });

  test('where threads were asked for, a module that they cannot import is an error', async (t) => {
    const file = mainThreadOnly(temporaryFolder(t));
    const { code, stderr } = await bench(file, ...SHORT, '--strategy', 'thread');
    assert.equal(code, 1);
    assert.match(stderr, /^error TASK_MODULE_UNLOADABLE: Task 'alone', thread, 1 at a time: .*only here/m);
    assert.match(stderr, /--strategy async/);
  });

  test('who interrupts gets what was measured by then, saved too, and is told what was left out', async (t) => {
    const output = join(temporaryFolder(t), 'result.json');
    const args = [TASKS, '--task', 'waits', '--time', '10m', '--cell-time', '1s', '--output', output];
    const { code, stdout, stderr } = await benchInterrupted(/jobs\/s, p99.*at most/s, ...args);
    assert.equal(code, 130);
    assert.match(stdout, /Use for waits: async, 1 at a time/);
    assert.match(stdout, /Left out: thread, since the measurement was\s+interrupted/);
    assert.match(stdout, /Interrupted at async, 2 at a time/);
    assert.match(stderr, /bench task: interrupted by SIGINT/);
    const { complete, cells, task } = JSON.parse(readFileSync(output, 'utf8'));
    assert.deepEqual([complete, cells.length], [false, 1]);
    assert.match(task.interruptedAt, /^async, 2 at a time/);
  });

  test('who interrupts before there is anything gets nothing', async () => {
    const { code, stdout, stderr } = await benchInterrupted(
      /trial, async/,
      TASKS,
      '--task',
      'waits',
      '--time',
      '10m',
    );
    assert.deepEqual([code, stdout], [130, '']);
    assert.match(stderr, /interrupted by SIGINT/);
  });

  for (const [args, pattern] of [
    [[], /missing required argument 'file'/],
    [[TASKS], /There are several tasks: .*Say which: --task /],
    [[TASKS, '--task', 'wait'], /There is no task wait here, .* Did you mean waits\?/],
    [[TASKS, '--task', 'waits', '--input', '{a:1}'], /--input is not JSON: .* Quote JSON for the shell/],
    [[TASKS, '--task', 'waits', '--inputs', '/nowhere.jsonl'], /--inputs \/nowhere\.jsonl cannot be read/],
    [[TASKS, '--task', 'waits', '--strategy', 'fiber'], /Expected names out of async, thread, process/],
    [[TASKS, '--task', 'waits', '--cell-time', 'soon'], /--cell-time/],
    [[TASKS, '--task', 'waits', '--profile', 'test'], /--profile test: it holds .*expected an empty folder/],
  ] as const) {
    test(`wrong usage is refused with exit code 2: ${pattern.source.slice(0, 40)}`, async () => {
      const { code, stdout, stderr } = await bench(...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, pattern);
    });
  }
});

/** Its module loads in the first thread of a program that no other has started, and nowhere else. */
function mainThreadOnly(folder: string): string {
  const file = join(folder, 'alone.ts');
  const longshore = new URL('../../src/index.ts', import.meta.url).href;
  writeFileSync(
    file,
    `import { isMainThread } from 'node:worker_threads';
     import { defineTask } from '${longshore}';
     const inHost = process.argv[1]?.includes('process-main');
     if (!isMainThread || inHost) throw new Error('only here');
     export const alone = defineTask({ name: 'alone', run: () => undefined });`,
  );
  return file;
}
