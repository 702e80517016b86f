import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { LONGSHORE, Sandbox } from '../cli/longshore.ts';
import { begin, completions, simulatorFor } from './stage.ts';

const TASKS = `
import { defineTask } from '${LONGSHORE}';
export const charge = defineTask({ name: 'charge', run: () => ({ charged: true }) });
`;

describe('longshore camunda', { timeout: 120_000 }, () => {
  test('works on job types until a signal, and tells what became of the jobs', async (t) => {
    const simulator = await simulatorFor(t);
    const sandbox = new Sandbox(t);
    sandbox.write('tasks/charge.ts', TASKS);
    begin(simulator, [{ type: 'charge-card' }], [{}, {}, {}]);
    const args = [
      'camunda',
      'work',
      '--tasks',
      'tasks',
      '--job-type',
      'charge-card=charge',
      '--poll',
      '200ms',
      '--json',
    ];
    const child = sandbox.start(args, { CAMUNDA_REST_ADDRESS: simulator.url });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    await completions(simulator, 3);
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    const { event, counts } = JSON.parse(out) as { event: string; counts: Record<string, number> };
    assert.deepEqual(
      [event, counts.activated, counts.completed, counts.handedBack],
      ['camunda.ended', 3, 3, 0],
    );
  });

  test('says what is wrong with how it is called', async (t) => {
    const sandbox = new Sandbox(t);
    sandbox.write('tasks/charge.ts', TASKS);
    const said = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await sandbox.run(['camunda', ...args]);
      assert.equal(code, 2);
      return stderr;
    };
    assert.match(await said(), /followed by work or bench/);
    assert.match(await said('work'), /No tasks are given/);
    assert.match(
      await said('work', '--tasks', 'tasks', '--job-type', 'a=b'),
      /there is no task 'b'.*they have charge/,
    );
    assert.match(
      await said('work', '--tasks', 'tasks', '--url', 'cluster'),
      /url is "cluster"; expected the address/,
    );
    assert.match(
      await said('work', '--tasks', 'tasks', '--lock', '10ms'),
      /lockMs is 10; expected at least 500/,
    );
  });
});
