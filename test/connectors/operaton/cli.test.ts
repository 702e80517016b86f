import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ended, LONGSHORE, lineOf, Sandbox } from '../../cli/longshore.ts';
import { engineFor } from './server.ts';
import { until } from './until.ts';

describe('longshore operaton', { timeout: 300_000 }, () => {
  test('work runs the echo task, load measures it, and SIGTERM ends both well', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const sandbox = new Sandbox(t);
    const env = { OPERATON_URL: engine.url, OPERATON_WORKER_POLL_MS: '1s' };
    const args = ['operaton', 'work', '--metrics-port', '0', '--log-format', 'pretty'];
    const worker = sandbox.start(args, env);
    const end = ended(worker);
    const said = await lineOf(worker.stderr, (line) => /metrics: (\S+)/.test(line));
    const { code, stdout, stderr } = await sandbox.run(['load', '--target', 'operaton', '--total', '12'], {
      env,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Processes: 12 in .* a second; p50 /m);
    const metrics = await (await fetch(/http\S+/.exec(said)?.[0] ?? '')).text();
    assert.match(
      metrics,
      /^longshore_job_attempts_total\{queue="echo",task="echo",outcome="completed"\} 12$/m,
    );
    assert.match(metrics, /^longshore_engine_slots\{engine="operaton"\} 10$/m);
    worker.kill('SIGTERM');
    const { code: ownCode, stderr: told } = await end;
    assert.equal(ownCode, 0);
    assert.match(told, /^longshore {2}http\S+\/engine-rest {2}topics echo {2}10 slots$/m);
    assert.match(told, /^Ended: 12 completed\.$/m);
  });

  test('work finds tasks in files, and topics of other names', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const sandbox = new Sandbox(t);
    sandbox.write(
      'tasks/double.ts',
      `import { defineTask } from '${LONGSHORE}';
export const double = defineTask({ name: 'double', strategy: 'thread', run: ({ input }) => ({ twice: input.n * 2 }) });`,
    );
    const topic = `${process.topic}=double`;
    const args = ['operaton', 'work', '--url', engine.url, '--tasks', 'tasks', '--topic', topic, '--json'];
    const worker = sandbox.start(args);
    const end = ended(worker);
    const instance = await process.start({ n: { value: 21 } });
    await until(async () => (await process.ended('end')) === 1);
    assert.equal((await process.variables(instance)).twice?.value, 42);
    worker.kill('SIGTERM');
    const lines = (await end).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.ok(lines.some(({ event, task }) => event === 'job.completed' && task === 'double'));
    assert.equal(lines.at(-1).tally.completed, 1);
  });

  for (const [args, says] of [
    [['operaton', 'work'], /url is undefined; expected the address .* \(or OPERATON_URL\)/],
    [['operaton'], /longshore operaton is followed by work/],
    [
      ['operaton', 'work', '--url', 'http://127.0.0.1:2', '--topic', 'a=b=c'],
      /--topic is "a=b=c"; expected TOPIC=TASK/,
    ],
    [
      ['operaton', 'work', '--url', 'http://127.0.0.1:2', '--topic', 'a=ecko'],
      /--topic a=ecko: no task file exports a task "ecko"; did you mean "echo"\?/,
    ],
  ] as const) {
    test(`refused with ${says.source}`, async (t) => {
      const { code, stderr } = await new Sandbox(t).run([...args]);
      assert.equal(code, 2);
      assert.match(stderr, says);
    });
  }
});
