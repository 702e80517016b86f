import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { lineOf, Sandbox, TASKS } from './longshore.ts';

interface Migration {
  readonly dryRun: boolean;
  readonly from: number;
  readonly to: number;
  readonly steps: readonly { readonly version: number; readonly name: string; readonly applied: boolean }[];
}

interface Checkup {
  readonly ok: boolean;
  readonly findings: readonly {
    readonly check: string;
    readonly level: 'ok' | 'note' | 'fault';
    readonly remedy: string | null;
    readonly repaired?: true;
  }[];
}

test('migrate --dry-run only says what it would do; migrate does it, once', async (context) => {
  const sandbox = new Sandbox(context);
  const plan = await sandbox.json<Migration>(['migrate', '--dry-run']);
  assert.deepEqual([plan.dryRun, plan.from], [true, 0]);
  assert.ok(plan.steps.length > 0 && plan.steps.every(({ applied }) => !applied));
  const text = await sandbox.run(['migrate', '--dry-run']);
  assert.match(text.stdout, /^to do {4}0001-\w+\n(.*\n)*The layout would go from version 0 to \d+\.\n$/);
  const done = await sandbox.run(['migrate']);
  assert.match(done.stdout, /^applied {2}0001-\w+\n(.*\n)*The layout went from version 0 to \d+\.\n$/);
  assert.match((await sandbox.run(['migrate'])).stdout, /^The layout is up to date \(version \d+\)\.\n$/);
});

test('doctor ends with 0 when all is well, and names what it looked at', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.run(['migrate']);
  const { code, stdout, stderr } = await sandbox.run(['doctor']);
  assert.deepEqual([code, stderr], [0, 'Nothing is wrong.\n']);
  assert.match(stdout, /^ok {5}node +Node\.js \d+/m);
  const { ok, findings } = await sandbox.json<Checkup>(['doctor']);
  assert.ok(ok && findings.length > 2 && findings.every(({ remedy }) => remedy === null));
});

test('doctor ends with 1 and a remedy when something is wrong', async (context) => {
  const sandbox = new Sandbox(context);
  const { code, stdout, stderr } = await sandbox.run(['doctor']);
  assert.equal(code, 1);
  assert.match(stdout, /^FAULT {2}file +.*jobs\.db does not exist\.\n +Check the path/m);
  assert.equal(stderr, '1 fault found.\n');
  const json = await sandbox.run(['doctor', '--json']);
  assert.equal(json.code, 1);
  assert.equal((JSON.parse(json.stdout) as Checkup).ok, false);
});

test('doctor --repair mends what can be mended, and says so', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.run(['migrate']);
  const db = new DatabaseSync(join(sandbox.folder, 'jobs.db'));
  const lockAway = () => db.exec(`INSERT INTO lock VALUES ('leader', 'gone', ${Date.now() * 2})`);
  lockAway();
  assert.equal((await sandbox.run(['doctor'])).code, 1);
  const { code, stdout, stderr } = await sandbox.run(['doctor', '--repair']);
  assert.deepEqual([code, stderr], [0, '1 finding repaired. Nothing is wrong.\n']);
  assert.match(stdout, /^fixed {2}locks +1 lock is held for more than an hour/m);
  assert.doesNotMatch(stdout, /--repair/);
  lockAway();
  const { ok, findings } = await sandbox.json<Checkup>(['doctor', '--repair']);
  assert.equal(ok, true);
  assert.deepEqual(
    findings.filter(({ repaired }) => repaired === true).map(({ check, level }) => [check, level]),
    [['locks', 'fault']],
  );
  db.close();
});

test('doctor tells what is worth knowing as notes, and ends with 0', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('nobody-takes-it');
  const { code, stdout, stderr } = await sandbox.run(['doctor']);
  assert.deepEqual([code, stderr], [0, 'Nothing is wrong. 1 note to look at.\n']);
  assert.match(stdout, /^note {3}workers +0 workers are alive, 1 job is ready\.\n +Start a worker\.$/m);
  const { ok, findings } = await sandbox.json<Checkup>(['doctor']);
  assert.ok(ok);
  assert.deepEqual(
    findings.filter(({ level }) => level !== 'ok').map(({ level, check }) => [level, check]),
    [['note', 'workers']],
  );
});

test('doctor names keys of waiting jobs that the config file lacks', async (context) => {
  const sandbox = new Sandbox(context);
  const keys = (...ids: string[]) => ids.map((id) => ({ id, key: Buffer.alloc(32, id).toString('base64') }));
  const configure = (encryption: object) =>
    sandbox.write('longshore.config.json', JSON.stringify({ encryption }));
  await sandbox.enqueue('send', '"plain"');
  configure({ keys: keys('new', 'old') });
  await sandbox.enqueue('send', '"sealed"');
  configure({ keys: keys('old') });
  const { stdout } = await sandbox.run(['doctor']);
  assert.match(
    stdout,
    /^note {3}keys +.*cannot open: key 'new' in queue 'default', no key in queue 'default'\.\n +Give the workers/m,
  );
  configure({ keys: keys('new'), acceptPlain: true });
  assert.match((await sandbox.run(['doctor'])).stdout, /^ok {5}keys +The config file has the keys/m);
});

test('doctor names waiting jobs whose task no live worker of their queue has', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const worker = sandbox.start(['work', '--tasks', 'tasks', '--log-format', 'json']);
  const completed = lineOf(worker.stderr, (line) => line.includes('"job.completed"'));
  await sandbox.enqueue('add', '{"a":1,"b":2}');
  await completed;
  await sandbox.enqueue('add', '{"a":1,"b":2}', '--delay', '1h');
  assert.match((await sandbox.run(['doctor'])).stdout, /^ok {5}tasks +Of the newest waiting jobs/m);
  const warned = lineOf(worker.stderr, (line) => line.includes('"task.unknown"'));
  const id = await sandbox.enqueue('nobody-takes-it');
  assert.match(await warned, new RegExp(`"level":40.*job ${id} of queue default: it waits.*Add the task`));
  await sandbox.enqueue('add', '{"a":1,"b":2}', '--queue', 'elsewhere');
  const { code, stdout, stderr } = await sandbox.run(['doctor']);
  assert.deepEqual([code, stderr], [0, 'Nothing is wrong. 1 note to look at.\n']);
  assert.match(
    stdout,
    /^note {3}tasks +.*has: 'nobody-takes-it' in queue 'default', 'add' in queue 'elsewhere'\.\n +Start a worker/m,
  );
  assert.match((await sandbox.run(['job', id])).stdout, /TASK_UNKNOWN: No task named "nobody-takes-it"/);
});
