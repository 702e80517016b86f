import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { dag7, tasks } from '../../examples/flows/shapes.ts';
import { connect, defineTask } from '../../src/index.ts';
import { EVENT_NAMES, EventBus } from '../../src/telemetry/events.ts';
import { logEvents } from '../../src/telemetry/log.ts';

interface LogRecord {
  readonly level: number;
  readonly event: string;
  readonly msg: string;
  readonly error?: { readonly message: string; readonly stack?: string };
}

function logging(
  level: string,
  now?: () => number,
): { bus: EventBus; records: LogRecord[]; end: () => void } {
  const bus = new EventBus();
  const records: LogRecord[] = [];
  const end = logEvents(
    bus,
    pino({ level }, { write: (line: string) => records.push(JSON.parse(line)) }),
    now === undefined ? {} : { now },
  );
  return { bus, records, end };
}

const END = {
  id: 'ID',
  correlationId: 'ID',
  queue: 'mail',
  task: 'send',
  attempt: 2,
  waitMs: 5,
  runMs: 1_500,
};
const ERROR = {
  attempt: 2,
  at: 1,
  name: 'TypeError',
  message: 'boom',
  stack: 'TypeError: boom\n    at x',
  code: null,
};

test('each event becomes a record of its level, with its facts and a sentence', () => {
  const { bus, records } = logging('info');
  bus.emit('job.completed', END);
  bus.emit('job.retried', { ...END, error: ERROR, delayMs: 2_000 });
  bus.emit('job.failed', { ...END, error: ERROR });
  assert.deepEqual(
    records.map(({ level, event }) => [level, event]),
    [
      [30, 'job.completed'],
      [40, 'job.retried'],
      [50, 'job.failed'],
    ],
  );
  assert.deepEqual(
    records.map(({ msg }) => msg),
    [
      'send ID completed in 1.5 s (waited 5 ms)',
      'send ID attempt 2 failed in 1.5 s (waited 5 ms); next in 2 s: TypeError: boom',
      'send ID failed at attempt 2 in 1.5 s (waited 5 ms): TypeError: boom',
    ],
  );
  assert.deepEqual(records[2]?.error, ERROR);
});

test('an error that is live keeps its message and stack', () => {
  const { bus, records } = logging('info');
  bus.emit('store.failed', { verb: 'claim', error: new Error('disk'), retryMs: 100 });
  assert.equal(records[0]?.msg, 'store claim failed, again in 100 ms: Error: disk');
  assert.match(records[0]?.error?.stack ?? '', /^Error: disk\n +at /);
});

test('events below the level are not subscribed to, so that nobody builds them', () => {
  const { bus } = logging('warn');
  const wanted = EVENT_NAMES.filter((name) => bus.wants(name));
  assert.ok(wanted.includes('job.failed') && wanted.includes('job.retried'));
  assert.ok(
    !wanted.includes('job.completed') && !wanted.includes('job.started') && !wanted.includes('store.called'),
  );
});

test('at level trace every event of the catalogue is logged, and ending it ends all', () => {
  const { bus, end } = logging('trace');
  assert.deepEqual(
    EVENT_NAMES.filter((name) => !bus.wants(name)),
    [],
  );
  end();
  assert.deepEqual(
    EVENT_NAMES.filter((name) => bus.wants(name)),
    [],
  );
});

test('of jobs of an unknown task one is told in a minute, for each task and queue', () => {
  let time = 0;
  const { bus, records } = logging('info', () => time);
  const meet = (queue: string, id: string): void =>
    bus.emit('task.unknown', { workerId: 'W', queue, task: 'send', id, correlationId: id, delayMs: 1_000 });
  const told = (): (string | undefined)[] =>
    records
      .splice(0)
      .map(({ level, msg }) => `${level} ${/job (\S+) of queue (\S+):/.exec(msg)?.slice(1).join(' ')}`);
  for (const id of ['1', '2']) for (const queue of ['mail', 'post']) meet(queue, id);
  assert.deepEqual(told(), ['40 1 mail', '40 1 post']);
  time = 59_999;
  meet('mail', '3');
  assert.deepEqual(told(), []);
  time = 60_000;
  meet('mail', '4');
  assert.deepEqual(told(), ['40 4 mail']);
});

test('records carry correlation ids: the one given, or that of the job or run itself', async (t) => {
  const records: Record<string, unknown>[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => records.push(JSON.parse(line)) });
  const longshore = await connect('memory:', { logger });
  t.after(() => longshore.close());
  const task = defineTask({ name: 'told', run: ({ log }) => log('half way') });
  await longshore.enqueue(task, undefined, { meta: { correlationId: 'request-7' } });
  const { id } = await longshore.enqueue(task, undefined);
  const run = await longshore.flows.start(dag7, null);
  await longshore.worker({ tasks: [task, ...tasks] }).runUntilIdle();
  const of = (correlationId: string): unknown[] =>
    records
      .filter(({ id, correlationId: own = id }) => own === correlationId && id !== undefined)
      .map(({ event }) => event);
  const all = ['job.enqueued', 'job.started', 'job.logged', 'job.completed'];
  assert.deepEqual([of('request-7'), of(id)], [all, all]);
  assert.equal(of(run.id).filter((event) => event === 'job.completed').length, 7);
  const moves = records.filter(
    ({ run: moved, correlationId }) => moved !== undefined && correlationId === run.id,
  );
  assert.ok(
    moves.some(({ event }) => event === 'run.moved') && moves.some(({ event }) => event === 'step.moved'),
  );
});
