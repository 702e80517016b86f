import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { ended, lineOf, Sandbox } from '../../cli/longshore.ts';
import { prometheusFor } from '../../telemetry/programs.ts';
import { temporalFor } from './server.ts';

/** As lines of JSON, with this message. */
const saying = (message: string) => (line: string) => line.includes(`"msg":"${message}"`);

test('work and load, set up by variables and an .env file, with metrics that a scrape finds', async (t) => {
  const server = await temporalFor(t);
  if (server === null) return;
  const sandbox = new Sandbox(t);
  sandbox.write('.env', `DEFAULT_TEMPORAL_URL=${server.url}\nTEMPORAL_WORKER_TASK_QUEUE=not-this-one\n`);
  const env = { TEMPORAL_WORKER_TASK_QUEUE: 'benchmark', TEMPORAL_WORKER_ACTIVITIES_MIN_SLOTS: '7' };
  const worker = sandbox.start(['temporal', 'work', '--metrics-port', '0', '--log-format', 'json'], env);
  const exited = once(worker, 'exit');
  const processed = lineOf(worker.stderr, saying('Task processed'));
  processed.catch(() => undefined);
  const served = await lineOf(worker.stderr, (line) => line.startsWith('metrics: '));
  const started = await lineOf(worker.stderr, saying('Worker started'));
  assert.equal(JSON.parse(started).taskQueue, 'benchmark');

  const load = await sandbox.run(['temporal', 'load', '--total', '12', '--message', 'hello']);
  assert.equal(load.code, 0, load.stderr);
  assert.match(load.stdout, /^Workflows: 12 in .* a second; p50 /);
  const { event, task, detail } = JSON.parse(await processed);
  assert.deepEqual([event, task], ['job.completed', 'echo']);
  assert.match(detail, /^echo .* completed in /);

  const target = new URL(served.slice('metrics: '.length));
  const text = await (await fetch(target)).text();
  assert.match(text, /^longshore_job_attempts_total\{.*outcome="completed"\} 12$/m);
  assert.match(text, /^temporal_worker_task_slots_used\{/m);
  assert.match(text, /^longshore_slots(\{.*\})? /m);
  assert.equal((await fetch(new URL('/ready', target))).status, 200);
  const prometheus = await prometheusFor(t, [target.host]);
  if (prometheus !== null) {
    for (const name of ['longshore_slots', 'temporal_worker_task_slots_used'])
      assert.ok(await scraped(prometheus.query, name), name);
  }

  // By the other verb, and without end: workflows of three activities.
  const args = ['load', '--target', 'temporal', '--url', server.url, '--infinite', '--concurrency', '1'];
  const endless = sandbox.start([...args, '--report-interval', '0.1s', '--json']);
  const end = ended(endless);
  await lineOf(endless.stdout, (line) => /"completed":[1-9]/.test(line));
  endless.kill('SIGINT');
  const { completed } = JSON.parse((await end).stdout.trim().split('\n').at(-1) ?? '');
  const after = await (await fetch(target)).text();
  const attempts = /^longshore_job_attempts_total\{.*outcome="completed"\} (\d+)$/m.exec(after)?.[1];
  assert.ok(Number(attempts) - 12 >= 3 * completed, `${attempts} attempts, ${completed} workflows`);
  worker.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
});

/** Scrapes come every second. */
async function scraped(
  query: (expression: string) => Promise<readonly unknown[]>,
  name: string,
): Promise<boolean> {
  for (;;) if ((await query(name)).length > 0) return true;
}

test('what is set wrong is said in one line with what to do', async (t) => {
  const sandbox = new Sandbox(t);
  const refused: readonly [args: readonly string[], env: Record<string, string>, said: RegExp][] = [
    [['temporal', 'work'], {}, /No task queue is given\. Use --task-queue/],
    [['temporal'], {}, /followed by work or load/],
    [['temporal', 'work', '--task-queue', 'q', '--target-cpu', '90'], {}, /0\.9, not 90/],
    [
      ['temporal', 'work', '--task-queue', 'q'],
      { TEMPORAL_WORKER_TARGET_RAM: '80' },
      /TEMPORAL_WORKER_TARGET_RAM is .*0\.8, not 80/,
    ],
    [
      ['temporal', 'work', '--task-queue', 'q'],
      { TEMPORAL_WORKER_TARGET_CPUS: '0.9' },
      /did you mean TEMPORAL_WORKER_TARGET_CPU\?/,
    ],
    [
      ['temporal', 'work', '--task-queue', 'q', '--activity-slots', '9..3'],
      {},
      /tuner\.activities\.min is 9/,
    ],
    [
      ['temporal', 'work', '--task-queue', 'q', '--tls-cert', 'none.pem'],
      {},
      /--tls-cert is "none\.pem"; expected a file/,
    ],
    [['temporal', 'work', '--task-queue', 'q', '--dotenv', 'none.env'], {}, /there is no such file/],
    [['temporal', 'load', '--address', 'http://localhost:7233'], {}, /host:port without a scheme/],
  ];
  for (const [args, env, said] of refused) {
    const { code, stderr } = await sandbox.run(args, { env });
    assert.equal(code, 2, `${args.join(' ')}\n${stderr}`);
    assert.match(stderr, said);
  }
});
