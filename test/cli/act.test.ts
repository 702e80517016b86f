import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isId } from '../../src/core/ids.ts';
import { lineOf, Sandbox, TASKS } from './longshore.ts';

interface Report {
  readonly done: readonly string[];
  readonly requested: readonly string[];
  readonly refused: readonly { readonly id: string; readonly state: string }[];
  readonly unknown: readonly string[];
}

interface Detail {
  readonly state: string;
  readonly result: unknown;
  readonly attempt: number;
  readonly audit: readonly { readonly action: string; readonly by: string; readonly why: string | null }[];
}

/** A sandbox with `count` dead letters of task `refuse`. */
async function withFailed(sandbox: Sandbox, count: number): Promise<string[]> {
  sandbox.write('tasks/all.ts', TASKS);
  const input = '1\n'.repeat(count);
  const { ids } = await sandbox.json<{ ids: string[] }>(['enqueue', 'refuse', '--lines'], { input });
  await sandbox.run(['work', '--tasks', 'tasks', '--until-idle', '--log-level', 'silent']);
  return ids;
}

test('cancel takes ids, and writes who and why into the audit trail', async (context) => {
  const sandbox = new Sandbox(context);
  const id = await sandbox.enqueue('add', '1');
  const { code, stdout } = await sandbox.run(['cancel', id, '--by', 'ann', '--why', 'wrong input']);
  assert.deepEqual([code, stdout], [0, '1 job cancelled\n']);
  const { state, audit } = await sandbox.json<Detail>(['job', id]);
  assert.equal(state, 'cancelled');
  assert.deepEqual(
    audit.map(({ action, by, why }) => [action, by, why]),
    [['cancel', 'ann', 'wrong input']],
  );
});

test('without --by the audit trail names the user and the host', async (context) => {
  const sandbox = new Sandbox(context);
  const id = await sandbox.enqueue('add', '1');
  await sandbox.run(['cancel', id]);
  const { audit } = await sandbox.json<Detail>(['job', id]);
  assert.match(audit[0]?.by ?? '', /^.+@.+$/);
});

test('an action that some jobs refuse, or that knows some ids not, says which and ends with 1', async (context) => {
  const sandbox = new Sandbox(context);
  const id = await sandbox.enqueue('add', '1');
  await sandbox.run(['cancel', id]);
  const other = await sandbox.enqueue('add', '1');
  const { code, stdout, stderr } = await sandbox.run(['cancel', id, other, 'nope']);
  assert.deepEqual([code, stdout], [1, '1 job cancelled\n']);
  assert.match(stderr, new RegExp(`^JOB_STATE_REFUSED: cannot cancel ${id}: it is cancelled\\.$`, 'm'));
  assert.match(stderr, /^JOB_UNKNOWN: there is no job nope\.$/m);
  const json = await sandbox.run(['cancel', id, 'nope', '--json']);
  assert.equal(json.code, 1);
  assert.deepEqual(JSON.parse(json.stdout), {
    done: [],
    requested: [],
    refused: [{ id, state: 'cancelled' }],
    unknown: ['nope'],
  });
});

test('- reads ids from standard input, as jq prints them', async (context) => {
  const sandbox = new Sandbox(context);
  const ids = [await sandbox.enqueue('add', '1'), await sandbox.enqueue('add', '2')];
  const { code, stdout } = await sandbox.run(['cancel', '-'], { input: `${ids.join('\n')}\n` });
  assert.deepEqual([code, stdout], [0, '2 jobs cancelled\n']);
  assert.equal((await sandbox.run(['cancel', '-'])).code, 2);
});

test('redrive --all runs dead letters again, without being asked', async (context) => {
  const sandbox = new Sandbox(context);
  await withFailed(sandbox, 3);
  const report = await sandbox.json<Report>(['redrive', '--all', '--task', 'refuse']);
  assert.equal(report.done.length, 3);
  assert.ok(report.done.every(isId));
  const { code, stderr } = await sandbox.run(['redrive', '--all']);
  assert.deepEqual([code, stderr], [1, 'No job matches.\n']);
});

test('resolve counts a failed job as completed, with the result given', async (context) => {
  const sandbox = new Sandbox(context);
  const [id = ''] = await withFailed(sandbox, 1);
  const refused = await sandbox.run(['resolve', id, '--result', '{bytes:1}']);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /--result is not JSON: .* at line 1, column 2/);
  await sandbox.json(['resolve', id, '--result', '{"bytes":1}']);
  const { state, result } = await sandbox.json<Detail>(['job', id]);
  assert.deepEqual([state, result], ['completed', { bytes: 1 }]);
});

test('remove deletes jobs, and a bulk of them only with --yes where nobody can be asked', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.json(['enqueue', 'add', '--lines'], { input: '1\n2\n3' });
  const kept = await sandbox.enqueue('add', '1', '--queue', 'mail');
  const asked = await sandbox.run(['remove', '--all', '--queue', 'default']);
  assert.equal(asked.code, 2);
  assert.match(asked.stderr, /USAGE: Remove 3 jobs for good\? There is nobody to ask; add --yes to do it\./);
  const { code, stdout } = await sandbox.run(['remove', '--all', '--queue', 'default', '--yes']);
  assert.deepEqual([code, stdout], [0, '3 jobs removed\n']);
  const { jobs } = await sandbox.json<{ jobs: { id: string }[] }>(['jobs']);
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [kept],
  );
});

test('ids and filters are not mixed, and filters alone do not act', async (context) => {
  const sandbox = new Sandbox(context);
  const usage = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await sandbox.run(args);
    assert.equal(code, 2);
    return stderr;
  };
  assert.match(await usage('cancel'), /Which jobs\? Give ids \(longshore cancel ID…\), or --all/);
  assert.match(await usage('cancel', '--queue', 'mail'), /Add --all to cancel every job that matches/);
  assert.match(await usage('cancel', 'ID', '--all'), /Give either ids or --all/);
  assert.match(
    await usage('cancel', '--all', '--state', 'done'),
    /expected one of scheduled, ready, running/,
  );
});

test('a running job is asked to stop, and its worker goes on', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const id = await sandbox.enqueue('hold');
  const worker = sandbox.start(['work', '--tasks', 'tasks', '--json']);
  await lineOf(worker.stdout, (line) => line.includes('"job.started"'));
  // This handler heeds its signal by completing.
  const over = lineOf(worker.stdout, (line) => line.includes('"job.completed"'));
  const waiting = await sandbox.enqueue('add', '1', '--delay', '1h');
  const { code, stdout } = await sandbox.run(['cancel', id, waiting]);
  assert.deepEqual([code, stdout], [0, '1 job cancelled\n1 running job asked to stop\n']);
  assert.ok((await over).includes(id));
  const after = await sandbox.json(['enqueue', 'add', '{"a":1,"b":1}', '--wait']);
  assert.deepEqual(after.result, { sum: 2 });
});

test('pause and resume take queues by name, or the fleet', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('add', '1');
  const paused = await sandbox.run(['pause', 'default']);
  assert.deepEqual([paused.code, paused.stdout], [0, 'paused default: 1 ready job waits, 0 running go on\n']);
  const typo = await sandbox.run(['pause', 'defalt']);
  assert.match(typo.stderr, /Queue defalt holds no jobs; is its name right\?/);
  const { queues } = await sandbox.json<{ queues: { name: string; pausedAt: number | null }[] }>([
    'resume',
    'default',
    'defalt',
  ]);
  assert.deepEqual(
    queues.map(({ name, pausedAt }) => [name, pausedAt]),
    [
      ['default', null],
      ['defalt', null],
    ],
  );
  const all = await sandbox.run(['pause', '--all']);
  assert.equal(all.stdout, 'paused all queues; running jobs go on\n');
  assert.match(
    (await sandbox.run(['queues'])).stderr,
    /All queues are paused; longshore resume --all ends that\./,
  );
  assert.equal((await sandbox.run(['resume', '--all'])).code, 0);
  assert.equal((await sandbox.run(['resume'])).code, 2);
});

test('drain deletes what waits in a queue, obliterate everything', async (context) => {
  const sandbox = new Sandbox(context);
  await withFailed(sandbox, 2);
  await sandbox.enqueue('add', '1');
  assert.match(
    (await sandbox.run(['drain', 'default'])).stderr,
    /USAGE: Delete 1 job of queue default for good\?/,
  );
  assert.deepEqual(await sandbox.json(['drain', 'default', '--yes']), { queue: 'default', removed: 1 });
  assert.deepEqual(await sandbox.json(['obliterate', 'default', '--yes']), { queue: 'default', removed: 2 });
  assert.equal((await sandbox.run(['obliterate', 'default', '--yes'])).code, 1);
});
