import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended, LONGSHORE, lineOf, Sandbox } from './longshore.ts';

const ECHO = `
import { defineTask } from '${LONGSHORE}';
export const echo = defineTask({ name: 'echo', run: ({ input }) => input });
export const refuse = defineTask({ name: 'refuse', attempts: 1, run: () => { throw new Error('not today'); } });
`;

test('load on a store: jobs are started, waited for, and told with their times', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/echo.ts', ECHO);
  const worker = sandbox.start(['work', '--tasks', 'tasks', '--log-level', 'info']);
  await lineOf(worker.stderr, (line) => /worker.started/.test(line));
  const { code, stdout } = await sandbox.run(['load', '--total', '20', '--concurrency', '5']);
  assert.match(stdout, /^Jobs: 20 in .*, \d+\.\d\d a second; p50 .*, p95 .*, p99 .*, longest .*$/m);
  assert.equal(code, 0);
  const report = await sandbox.json(['load', '--target', 'sqlite:jobs.db', '--total', '5', '--rate', '50']);
  assert.deepEqual([report.event, report.started, report.completed, report.failed], ['load.ended', 5, 5, 0]);
  const failed = await sandbox.run(['load', '--total', '2', '--task', 'refuse']);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^warning: Job .* failed/m);
  assert.match(failed.stdout, /\(2 failed\)/);
});

test('load without end stops at SIGINT, with the average of all', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/echo.ts', ECHO);
  const worker = sandbox.start(['work', '--tasks', 'tasks']);
  await lineOf(worker.stderr, (line) => /worker.started/.test(line));
  const env = { SCHEDULER_INFINITE_MODE: 'true', SCHEDULER_REPORT_INTERVAL: '0.1' };
  const load = sandbox.start(['load'], env);
  const end = ended(load);
  await lineOf(load.stdout, (line) => /^Concurrent: \d+ Jobs: [1-9]\d* Rate: \d+\.\d\d$/.test(line));
  load.kill('SIGINT');
  const { code, stdout } = await end;
  assert.equal(code, 0);
  assert.match(stdout, /^Jobs: \d+ in .* a second; p50 /m);
});

test('a target that there is not is named with those there are', async (context) => {
  const sandbox = new Sandbox(context);
  const { code, stderr } = await sandbox.run(['load', '--target', 'operatn']);
  assert.equal(code, 2);
  assert.match(stderr, /--target: there is no engine "operatn"; did you mean "operaton"\?/);
});
