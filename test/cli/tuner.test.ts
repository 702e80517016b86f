import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sandbox, TASKS } from './longshore.ts';

const UNTIL_IDLE = ['work', '--tasks', 'tasks', '--until-idle', '--log-format', 'pretty'];

test('work --target-cpu says within what bounds it works, and what it reads', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  await sandbox.enqueue('add', '{"a":20,"b":22}');
  const { code, stderr } = await sandbox.run([...UNTIL_IDLE, '--target-cpu', '0.7', '--slots-min', '3']);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /3 to 500 slots for a processor at 0\.7 and memory at 0\.8/);
  assert.match(stderr, /tuner reads \S+/);
  assert.match(stderr, /^Ended: 1 completed\.$/m);
});

test('a target in the environment turns the tuner on, --concurrency off again', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const env = { LONGSHORE_TARGET_CPU: '0.5', LONGSHORE_SLOTS_MAX: '8' };
  assert.match((await sandbox.run(UNTIL_IDLE, { env })).stderr, /8 to 8 slots for a processor at 0\.5/);
  const fixed = await sandbox.run([...UNTIL_IDLE, '--concurrency', '4'], { env });
  assert.match(fixed.stderr, / 4 slots$/m);
});

test('a target in per cent is refused with a hint', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const { code, stderr } = await sandbox.run([...UNTIL_IDLE, '--target-cpu', '90']);
  assert.notEqual(code, 0);
  assert.match(stderr, /targetCpu is 90; .*0\.9, not 90/);
});

test('the tuner can be set in the config file', async (context) => {
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  sandbox.write('longshore.config.json', '{"tuner":{"targetMemory":0.6,"slotsMin":2,"slotsMax":9}}');
  assert.match(
    (await sandbox.run(UNTIL_IDLE)).stderr,
    /2 to 9 slots for a processor at 0\.9 and memory at 0\.6/,
  );
});
