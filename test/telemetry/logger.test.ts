import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { type AttemptError, connect, defineTask, type Logger, LongshoreError } from '../../src/index.ts';
import { EventBus } from '../../src/telemetry/events.ts';
import { tellUnheard } from '../../src/telemetry/unheard.ts';

interface Told {
  readonly level: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A logger of the four methods alone. */
function memory(): { told: Told[]; logger: Logger } {
  const told: Told[] = [];
  const at = (level: string) => (facts: object, text: string) =>
    void told.push({ level, facts: facts as Told['facts'], text });
  return { told, logger: { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') } };
}

const flaky = defineTask({
  name: 'flaky',
  attempts: 2,
  backoff: { type: 'fixed', delayMs: 0 },
  run({ log }) {
    log('about to fail', { why: 'on purpose' });
    throw new Error('refused');
  },
});

test('a logger is told of failures, retries and what handlers log, with job, task and attempt', async () => {
  const { told, logger } = memory();
  const longshore = await connect('memory:', { logger });
  const { id } = await longshore.enqueue(flaky, null);
  await longshore.enqueue('fine', null);
  const fine = defineTask({ name: 'fine', run: () => 1 });
  await longshore.worker({ tasks: [flaky, fine] }).runUntilIdle();
  await longshore.close();
  const ofJob = told.filter(({ level, facts }) => level !== 'debug' && facts.id === id);
  assert.deepEqual(
    ofJob.map(({ level, facts }) => [level, facts.event, facts.task, facts.attempt]),
    [
      ['info', 'job.logged', 'flaky', 1],
      ['warn', 'job.retried', 'flaky', 1],
      ['info', 'job.logged', 'flaky', 2],
      ['error', 'job.failed', 'flaky', 2],
    ],
  );
  assert.deepEqual(ofJob[0]?.facts.data, { why: 'on purpose' });
  assert.match(ofJob[0]?.text ?? '', /flaky .* attempt 1: about to fail/);
  const error = ofJob[3]?.facts.error as AttemptError | undefined;
  assert.match(error?.stack ?? '', /logger\.test\.ts/);
  const completed = told.filter(({ facts }) => facts.event === 'job.completed');
  assert.deepEqual(
    completed.map(({ level }) => level),
    ['debug'],
  );
});

test('what is no logger is refused', async () => {
  for (const logger of ['true', 1, null, {}, { info() {} }])
    await assert.rejects(
      connect('memory:', { logger: logger as never }),
      (error: LongshoreError) => error.code === 'OPTION_INVALID' && error.details.field === 'logger',
    );
});

/** What a program with one failing job writes to standard error. */
function stderrOf(options: string): string {
  const program = `
    import { connect, defineTask } from '${new URL('../../src/index.ts', import.meta.url).href}';
    const longshore = await connect('memory:', ${options});
    const task = defineTask({ name: 'send', attempts: 1, run({ log }) { log('hello'); throw new Error('no\\nroute'); } });
    await longshore.enqueue(task, null);
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    await longshore.close();`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stderr;
}

test('without a logger a failed job is one line on standard error', () => {
  const lines = stderrOf('{}').trimEnd().split('\n');
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    /^longshore: job [-0-9a-f]{36} of task 'send' in queue 'default' failed at attempt 1: Error: no\\nroute \(the option logger: true/,
  );
});

test('with logger false nothing is written', () => {
  assert.equal(stderrOf('{ logger: false }'), '');
});

test('with logger true records are JSON lines where standard error is no terminal', () => {
  const records = stderrOf('{ logger: true }')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; msg: string });
  const events = records.map(({ event }) => event).filter((event) => event.startsWith('job.'));
  assert.deepEqual(events, ['job.logged', 'job.failed']);
});

const FAILED = {
  id: 'J',
  correlationId: 'J',
  queue: 'q',
  task: 'send',
  attempt: 1,
  waitMs: 0,
  runMs: 1,
  error: { attempt: 1, at: 0, name: 'Error', message: 'no', stack: null, code: null },
};

test('a failure that a listener or a channel hears is not written', () => {
  const bus = new EventBus();
  const lines: string[] = [];
  tellUnheard(bus, (line) => lines.push(line));
  assert.equal(bus.wants('job.failed'), true);
  const end = bus.on('job.failed', () => undefined);
  bus.emit('job.failed', FAILED);
  end();
  const hear = (): void => undefined;
  subscribe('longshore:job.failed', hear);
  bus.emit('job.failed', FAILED);
  unsubscribe('longshore:job.failed', hear);
  assert.deepEqual(lines, []);
  bus.emit('job.failed', FAILED);
  assert.equal(lines.length, 1);
});

test('of each task one failure is written a second, and the next line counts the others', () => {
  const bus = new EventBus();
  const lines: string[] = [];
  let now = 0;
  tellUnheard(
    bus,
    (line) => lines.push(line),
    () => now,
  );
  for (let times = 0; times < 5; times += 1) bus.emit('job.failed', FAILED);
  bus.emit('job.failed', { ...FAILED, task: 'other' });
  now = 1_000;
  bus.emit('job.failed', FAILED);
  assert.equal(lines.length, 3);
  assert.match(lines[2] ?? '', /So did 4 others of this task/);
});

test('trouble with the store that does not pass by itself is written, and the same again after a minute', () => {
  const bus = new EventBus();
  const lines: string[] = [];
  let now = 0;
  tellUnheard(
    bus,
    (line) => lines.push(line),
    () => now,
  );
  const fail = (error: unknown): void => bus.emit('store.failed', { verb: 'claim', error, retryMs: 100 });
  fail(new LongshoreError('STORE_UNAVAILABLE', 'The server is away.'));
  assert.deepEqual(lines, []);
  fail(new TypeError('It is not\niterable.'));
  fail(new TypeError('It is not\niterable.'));
  assert.deepEqual(lines, ['longshore: claim failed: It is not\\niterable. (STORE_FAILED)\n']);
  now = 60_000;
  fail(new TypeError('It is not\niterable.'));
  bus.on('store.failed', () => undefined);
  now = 120_000;
  fail(new TypeError('It is not\niterable.'));
  assert.equal(lines.length, 2);
});
