import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { LONGSHORE, lineOf, Sandbox } from './longshore.ts';

const AUTO = `
import { defineTask } from '${LONGSHORE}';
export const light = defineTask({ name: 'light', strategy: 'auto', run: () => undefined });
export const idle = defineTask({ name: 'idle', run: () => undefined });
`;

interface Told {
  readonly advice: readonly { readonly name: string; readonly setting: string; readonly verdict: string }[];
}

test('advise tells of a live store what its workers measured, and says what it does not know', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/auto.ts', AUTO);
  await sandbox.run(['enqueue', 'light', '--lines'], { input: '1\n'.repeat(30) });
  const worker = sandbox.start(['work', '--tasks', 'tasks', '--json', '--lease', '1s']);
  // By now it is measured; a later beat tells the store.
  await lineOf(worker.stdout, (line) => line.includes('task.strategyChosen'));
  let told: Told;
  do told = await sandbox.json<Told>(['advise', '--task', 'light']);
  while (told.advice.some(({ setting, verdict }) => setting === 'strategy' && verdict === 'unknown'));
  const settings = told.advice.filter(({ name }) => name === 'light').map(({ setting }) => setting);
  assert.deepEqual(settings.sort(), ['prefetch', 'slots', 'strategy']);
  assert.ok(told.advice.some(({ setting, verdict }) => setting === 'strategy' && verdict === 'keep'));
  const { code, stdout, stderr } = await sandbox.run(['advise']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^task light\n {2}\w+ +\w+\n/m);
  assert.match(stdout, /^Too little is known of idle: /m);
  assert.ok(!stdout.includes('\u001b'));
  worker.kill('SIGTERM');
  await once(worker, 'close');
});

test('advise on an empty store says so; an unknown task is refused', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.run(['migrate']);
  const { code, stdout, stderr } = await sandbox.run(['advise']);
  assert.deepEqual([code, stdout], [0, '']);
  assert.match(stderr, /^There is nothing to advise on/);
  const unknown = await sandbox.run(['advise', '--task', 'nope']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^error TASK_UNKNOWN: No worker that is alive has task "nope"/);
});
