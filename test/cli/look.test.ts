import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, defineTask } from '../../src/index.ts';
import { Sandbox, TASKS } from './longshore.ts';

interface Page {
  readonly jobs: readonly { readonly id: string; readonly task: string; readonly state: string }[];
  readonly cursor: string | null;
}

test('jobs lists the newest first, in aligned columns, with whole ids and no colour in a pipe', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('short', '1');
  const id = await sandbox.enqueue('a-longer-name', '{"path":"a.png"}', '--queue', 'mail', '--delay', '1h');
  const { code, stdout, stderr } = await sandbox.run(['jobs']);
  assert.equal(code, 0);
  assert.equal(stderr, '');
  const [titles = '', first = '', second = ''] = stdout.split('\n');
  assert.match(titles, /^ID +STATE +TASK +QUEUE +KEY +PRIO +TRIES +WHEN +CREATED +INPUT$/);
  assert.ok(first.startsWith(`${id}  scheduled  a-longer-name  mail`), first);
  assert.ok(first.endsWith('{"path":"a.png"}'));
  assert.equal(second.indexOf('short'), first.indexOf('a-longer-name'));
  assert.ok(!stdout.includes('\u001b'));
});

test('FORCE_COLOR colours also in a pipe', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('short', '1');
  const { stdout } = await sandbox.run(['jobs'], { env: { FORCE_COLOR: '1' } });
  assert.ok(stdout.includes('\u001b['));
});

test('jobs are narrowed by state, queue and task', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('a', '--queue', 'one');
  await sandbox.enqueue('b', '--queue', 'two');
  await sandbox.enqueue('a', '--queue', 'two', '--delay', '1h');
  const count = async (...args: string[]) => (await sandbox.json<Page>(['jobs', ...args])).jobs.length;
  assert.equal(await count('--queue', 'two'), 2);
  assert.equal(await count('--task', 'a'), 2);
  assert.equal(await count('--task', 'a', '--queue', 'two'), 1);
  assert.equal(await count('--state', 'scheduled'), 1);
  assert.equal(await count('--state', 'scheduled,ready'), 3);
  assert.equal(await count('--state', 'failed'), 0);
});

test('jobs goes on with --cursor, and --all lists every page in one document', async (context) => {
  const sandbox = new Sandbox(context);
  const input = Array.from({ length: 1_203 }, (_, at) => String(at)).join('\n');
  await sandbox.json(['enqueue', 'add', '--lines'], { input });
  const first = await sandbox.json<Page>(['jobs', '--limit', '2']);
  const second = await sandbox.json<Page>(['jobs', '--limit', '2', '--cursor', first.cursor ?? '']);
  assert.equal(new Set([...first.jobs, ...second.jobs].map(({ id }) => id)).size, 4);
  const all = await sandbox.json<Page>(['jobs', '--all']);
  assert.equal(all.jobs.length, 1_203);
  assert.equal(all.cursor, null);
  const { stdout, stderr } = await sandbox.run(['jobs', '--limit', '2']);
  assert.equal(stdout.trimEnd().split('\n').length, 3);
  assert.match(stderr, /^There are more: --cursor \S+, or --all\.$/m);
});

test('jobs of an empty store is an empty list, not an error', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.run(['migrate']);
  const { code, stdout, stderr } = await sandbox.run(['jobs']);
  assert.deepEqual([code, stdout, stderr], [0, '', 'No jobs.\n']);
  assert.deepEqual(await sandbox.json(['jobs']), { jobs: [], cursor: null });
  assert.deepEqual(await sandbox.json(['jobs', '--all']), { jobs: [], cursor: null });
});

test('job shows times, errors with stacks, log, progress, result and the audit trail', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const added = await sandbox.enqueue('add', '{"a":1,"b":2}');
  const refused = await sandbox.enqueue('refuse');
  await sandbox.run(['work', '--tasks', 'tasks', '--until-idle', '--log-level', 'silent']);
  await sandbox.run(['redrive', refused, '--by', 'me', '--why', 'try again']);
  const one = await sandbox.run(['job', added]);
  assert.equal(one.code, 0);
  for (const part of [
    `job ${added}`,
    'state       completed',
    'attempts    1 of 3',
    'input       {"a":1,"b":2}',
    'progress    1',
    'result      {"sum":3}',
    'adding {"first":1}',
  ]) {
    assert.ok(one.stdout.includes(part), `${part} in\n${one.stdout}`);
  }
  const other = await sandbox.run(['job', refused]);
  assert.match(other.stdout, /attempt 1 .*\n +UnrecoverableError: not today\n +at .*all\.ts/);
  assert.match(other.stdout, /redrive by me {2}failed → ready: try again/);
  const detail = await sandbox.json<{ errors: unknown[]; audit: unknown[]; state: string }>(['job', refused]);
  assert.deepEqual([detail.state, detail.errors.length, detail.audit.length], ['ready', 1, 1]);
});

test('stored text cannot move the cursor or change colours', async (context) => {
  const sandbox = new Sandbox(context);
  const id = await sandbox.enqueue('evil\u202e', '"\\u001b[2J"');
  await sandbox.run(['cancel', id, '--why', 'evil\u001b[31m\u0007']);
  for (const args of [['jobs'], ['job', id], ['queues']]) {
    const { stdout } = await sandbox.run(args);
    assert.doesNotMatch(stdout, /[^\P{Cc}\n]|\u202e/u);
  }
});

test('a job that is not there ends with 1', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.run(['migrate']);
  const { code, stdout, stderr } = await sandbox.run(['job', 'nope']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^error JOB_UNKNOWN: There is no job nope: /);
  const json = await sandbox.run(['job', 'nope', '--json']);
  assert.equal(json.code, 1);
  const { error } = JSON.parse(json.stdout) as {
    error: { code: string; exitCode: number; details: unknown };
  };
  assert.deepEqual([error.code, error.exitCode, error.details], ['JOB_UNKNOWN', 1, { id: 'nope' }]);
});

test('queues shows counts by state and what is paused', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('a', '--queue', 'mail');
  await sandbox.enqueue('a', '--queue', 'mail', '--delay', '1h');
  await sandbox.run(['pause', 'mail']);
  const { stdout } = await sandbox.run(['queues']);
  assert.match(stdout, /^QUEUE +SCHEDULED +READY .* PAUSED +LIMITS\nmail +1 +1 +0 +0 +0 +0 +\S+/);
  const { queues } = await sandbox.json<{
    queues: { name: string; counts: Record<string, number>; pausedAt: number }[];
  }>(['queues']);
  assert.equal(queues[0]?.name, 'mail');
  assert.equal(queues[0]?.counts.ready, 1);
  assert.equal(typeof queues[0]?.pausedAt, 'number');
});

test('workers lists who is alive', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const none = await sandbox.run(['workers', '--store', 'memory:']);
  assert.deepEqual([none.code, none.stdout], [0, '']);
  assert.match(none.stderr, /No workers/);
  const worker = sandbox.start(['work', '--tasks', 'tasks', '--json', '--concurrency', '3']);
  await new Promise((resolve) => worker.stdout.once('data', resolve));
  const { workers } = await sandbox.json<{ workers: Record<string, unknown>[] }>(['workers']);
  assert.equal(workers.length, 1);
  const { alive, slots, pid, tasks, queues } = workers[0] ?? {};
  assert.deepEqual(
    { alive, slots, pid, tasks, queues },
    {
      alive: true,
      slots: 3,
      pid: worker.pid,
      tasks: ['add', 'hold', 'refuse'],
      queues: ['default', 'slow'],
    },
  );
  const { stdout } = await sandbox.run(['workers']);
  assert.match(stdout, new RegExp(`^WORKER.*\\n\\S+-${worker.pid}-[0-9a-z]{8}  alive +3 +0`));
});

test('tasks shows where each worker runs its tasks, from another process', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const args = ['work', '--tasks', 'tasks', '--strategy', 'auto', '--json'];
  const worker = sandbox.start(args);
  await new Promise((resolve) => worker.stdout.once('data', resolve));
  const { lanes } = await sandbox.json<{ lanes: Record<string, unknown>[] }>(['tasks']);
  assert.deepEqual(
    lanes.map(({ task, lane, reason, samples }) => [task, lane, reason, samples]),
    ['add', 'hold', 'refuse'].map((task) => [task, 'thread', 'not measured yet', 0]),
  );
  const { stdout, stderr } = await sandbox.run(['tasks']);
  assert.match(stdout, /^TASK +LANE +WHY +MEASURED +BUSY +TOOK +WORKER$/m);
  assert.match(stdout, new RegExp(`^add +thread +not measured yet +- +- +- +\\S+-${worker.pid}-`, 'm'));
  assert.equal(stderr, '');
  const both = await sandbox.run(['tasks', '--tasks', 'tasks']);
  assert.match(both.stdout, /^TASK +QUEUE[\s\S]*\n\nTASK +LANE/);
});

test('tasks lists what the files define, without a store', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const { code, stdout } = await sandbox.run(['tasks', '--tasks', 'tasks'], { env: { LONGSHORE_STORE: '' } });
  assert.equal(code, 0);
  assert.match(stdout, /^TASK .*\nadd +default +0 +3 +exponential from 1 s +- +zod +- +tasks\/all\.ts$/m);
  const { tasks } = await sandbox.json<{ tasks: { name: string; file: string; schema: string | null }[] }>([
    'tasks',
    '--tasks',
    'tasks',
  ]);
  assert.deepEqual(
    tasks.map(({ name, schema }) => [name, schema]),
    [
      ['add', 'zod'],
      ['hold', null],
      ['refuse', null],
    ],
  );
});

test('job shows the meta of a job that has some', async (context) => {
  const sandbox = new Sandbox(context);
  const longshore = await connect(`sqlite:${join(sandbox.folder, 'jobs.db')}`);
  const meta = { correlationId: 'order/7', tags: ['a', 'b'] };
  const { id } = await longshore.enqueue('task', 1, { meta, timeoutMs: 90_000, backoff: 2_000 });
  await longshore.close();
  const shown = await sandbox.run(['job', id]);
  assert.match(shown.stdout, /^correlation +order\/7\ntags +a, b\nbackoff +2 s\ntimeout +1m 30s$/m);
  const json = await sandbox.json<{ meta: { tags: string[] } }>(['job', id]);
  assert.deepEqual(json.meta.tags, ['a', 'b']);
});

test('job shows durable steps and what the job waits for; signal sends it there', async (context) => {
  const sandbox = new Sandbox(context);
  const longshore = await connect(`sqlite:${join(sandbox.folder, 'jobs.db')}`);
  const task = defineTask({
    name: 'ordering',
    run: async ({ step, waitFor }) => {
      await step('charge', () => ({ receipt: 7 }));
      return waitFor('approval', { timeoutMs: 86_400_000 });
    },
  });
  const { id } = await longshore.enqueue(task, null);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  await longshore.close();
  const shown = await sandbox.run(['job', id]);
  assert.match(shown.stdout, /^state +scheduled, waits for signal approval, until \d{4}-/m);
  assert.match(
    shown.stdout,
    /^steps\n .* step charge \{"receipt":7\}\n {2}waits for signal approval, until \d{4}-/m,
  );
  const json = await sandbox.json<{ steps: { name: string; state: string }[] }>(['job', id]);
  assert.deepEqual(
    json.steps.map(({ name, state }) => [name, state]),
    [
      ['charge', 'kept'],
      ['approval', 'waiting'],
    ],
  );
  const sent = await sandbox.run(['signal', id, 'approval', '{"by":"ada"}']);
  assert.deepEqual([sent.code, sent.stdout, sent.stderr], [0, `signal approval sent to job ${id}\n`, '']);
  assert.match((await sandbox.run(['job', id])).stdout, /^state +ready$/m);
  const again = await sandbox.run(['signal', id, 'approval']);
  assert.match(
    again.stderr,
    /^error JOB_STATE_REFUSED: Job \S+ takes no signal "approval": it has come already/,
  );
});
