import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended, LONGSHORE, lineOf, Sandbox } from './longshore.ts';

const TASKS = `
import { defineFlow, defineTask } from ${JSON.stringify(LONGSHORE)};
export const first = defineTask({ name: 'first', run: () => 1 });
export const second = defineTask({ name: 'second', run: ({ input }) => input });
export const both = defineFlow({
  name: 'both',
  steps: (s) => s.step('then', second, { input: () => ({ before: s.step('begin', first) }) }),
});
`;

test('work --metrics-port serves metrics and probes on 127.0.0.1 until the worker has stopped', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks.ts', TASKS);
  const child = sandbox.start([
    'work',
    '--tasks',
    'tasks.ts',
    '--metrics-port',
    '0',
    '--log-level',
    'silent',
  ]);
  const line = await lineOf(child.stderr, (text) => text.startsWith('metrics: '));
  const url = line.slice('metrics: '.length);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const text = await (await fetch(url)).text();
  assert.match(text, /^longshore_workers_started [01]$/m);
  assert.equal((await fetch(url.replace('/metrics', '/live'))).status, 200);
  const end = ended(child);
  child.kill('SIGTERM');
  assert.equal((await end).code, 0);
  await assert.rejects(fetch(url));
});

test('a port that cannot be had is named', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks.ts', TASKS);
  const args = ['work', '--tasks', 'tasks.ts', '--metrics-port', '9464', '--metrics-host', '203.0.113.7'];
  const { code, stderr } = await sandbox.run(args);
  assert.equal(code, 2);
  assert.match(stderr, /OPTION_INVALID.*--metrics-port 9464 cannot be served on 203\.0\.113\.7/);
});

test('trace draws where the time of a run went and adds it up', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks.ts', TASKS);
  await sandbox.json(['start', 'both', '--id', 'order-7', '--tasks', 'tasks.ts']);
  const { code } = await sandbox.run(['work', '--tasks', 'tasks.ts', '--until-idle']);
  assert.equal(code, 0);
  const { stdout } = await sandbox.run(['trace', 'order-7']);
  assert.match(stdout, /^run order-7 {2}\d{4}-/);
  assert.match(stdout, /^begin \(first\) +completed +.*█/m);
  assert.match(stdout, /^adds up along begin > then$/m);
  assert.match(stdout, /^ {2}total +\S+ (ms|s|µs)? +100 %$/m);
  assert.match(stdout, /^not stored\n {2}worker, claim, run and settle of 2 of 2 jobs/m);
  const trace = await sandbox.json<{ sum: { path: string[] }; jobs: { step: string }[] }>([
    'trace',
    'order-7',
  ]);
  assert.deepEqual(
    trace.jobs.map(({ step }) => step),
    ['begin', 'then'],
  );
  assert.equal(trace.sum.path.length, 2);
  const unknown = await sandbox.run(['trace', 'order-8']);
  assert.deepEqual(
    [unknown.code, /error JOB_UNKNOWN: Nothing has the id order-8/.test(unknown.stderr)],
    [1, true],
  );
});
