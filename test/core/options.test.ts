import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { isPlainObject, nearest, requireKnown, requireOptions, unknownName } from '../../src/core/options.ts';
import { thrownBy } from './check.ts';

const ENQUEUE = new Set(['queue', 'priority', 'delayMs', 'at', 'attempts', 'unique', 'key', 'tx']);

function messageFor(name: string, known: Iterable<string>): string {
  return unknownName('enqueue has no option', name, known).message;
}

test('known options pass, and so do absent ones', () => {
  const { proxy, revoke } = Proxy.revocable({ queue: 'mail' }, {});
  for (const options of [
    undefined,
    {},
    Object.create(null),
    { queue: 'a', delayMs: 1 },
    { delay: undefined },
    runInNewContext('({ queue: "a" })'),
    runInNewContext('({})'),
    new (class {
      queue = 'a';
    })(),
    proxy,
  ])
    requireKnown('enqueue', options, ENQUEUE);
  revoke();
  assert.match(thrownBy(() => requireKnown('enqueue', proxy, ENQUEUE)).message, /cannot be read/);
});

test('what holds no options is refused, a promise with a question', () => {
  for (const options of [
    null,
    5,
    'queue',
    true,
    () => 1,
    [],
    ['queue'],
    new Map(),
    new Date(0),
    new (class {})(),
  ]) {
    const error = thrownBy(() => requireKnown('enqueue', options, ENQUEUE));
    assert.equal(error.code, 'OPTION_INVALID');
    assert.match(error.message, /^enqueue was given .*; expected an object with queue, priority, /);
  }
  const promise = thrownBy(() => requireKnown('enqueue', Promise.resolve({}), ENQUEUE));
  assert.match(promise.message, /enqueue was given an object \(Promise\);.*did you forget await\?\.$/);
  assert.match(
    thrownBy(() => requireOptions('worker', undefined, ENQUEUE)).message,
    /worker was given undefined/,
  );
});

test('an unknown option is refused and the one that is meant is named', () => {
  const error = thrownBy(() => requireKnown('enqueue', { queue: 'mail', delay: 5_000 }, ENQUEUE));
  assert.equal(error.code, 'OPTION_INVALID');
  assert.equal(
    error.message,
    'enqueue has no option "delay"; did you mean "delayMs"? It is in milliseconds.',
  );
  assert.deepEqual(error.details, { field: 'delay', meant: 'delayMs', known: [...ENQUEUE] });
  assert.equal(error.retryable, false);
});

test('a name that resembles none is answered with all there are', () => {
  assert.equal(messageFor('zebra', ['queue', 'key']), 'enqueue has no option "zebra"; known are queue, key.');
});

test('names of other systems are known', () => {
  const task = ['name', 'run', 'input', 'queue', 'attempts', 'backoff', 'timeoutMs', 'unique'];
  const worker = ['tasks', 'queues', 'concurrency', 'pollMs', 'leaseMs', 'graceMs', 'crashesMax'];
  const events = ['job.completed', 'job.failed', 'job.retried', 'job.started', 'job.expired'];
  for (const [known, pairs] of [
    [
      ENQUEUE,
      {
        delay: 'delayMs', // BullMQ
        deduplication: 'unique',
        startAfter: 'at', // pg-boss
        singletonKey: 'unique',
        retryLimit: 'attempts',
        runAt: 'at', // graphile-worker
        run_at: 'at',
        jobKey: 'unique',
        job_key: 'unique',
        maxAttempts: 'attempts',
        max_attempts: 'attempts',
        queueName: 'queue',
        eta: 'at', // Celery
        countdown: 'delayMs',
        retries: 'attempts',
        retry: 'attempts', // Sidekiq
        unique_for: 'unique',
        deduplicationID: 'unique', // DBOS
        startDelay: 'delayMs', // Temporal
        taskQueue: 'queue',
        prioritty: 'priority', // a slip
      },
    ],
    [
      task,
      {
        retries: 'attempts',
        timeout: 'timeoutMs',
        handler: 'run',
        processor: 'run',
        schema: 'input',
        task: 'name',
        retryDelay: 'backoff',
        startToCloseTimeout: 'timeoutMs',
        expireInSeconds: 'timeoutMs',
      },
    ],
    [
      worker,
      {
        concurency: 'concurrency',
        teamSize: 'concurrency',
        queue: 'queues',
        pollInterval: 'pollMs',
        pollingIntervalSeconds: 'pollMs',
        lockDuration: 'leaseMs',
        maxStalledCount: 'crashesMax',
        shutdownGraceTime: 'graceMs',
        handlers: 'tasks',
      },
    ],
    [
      events,
      {
        'job.complete': 'job.completed',
        'job:complete': 'job.completed',
        completed: 'job.completed',
        failed: 'job.failed',
        error: 'job.failed',
        active: 'job.started',
        stalled: 'job.expired',
        retry: 'job.retried',
      },
    ],
  ] as const) {
    for (const [theirs, ours] of Object.entries(pairs))
      assert.match(messageFor(theirs, known), new RegExp(`did you mean "${ours}"\\?`), theirs);
  }
});

test('what is no option here is answered with what there is instead', () => {
  assert.match(messageFor('removeOnComplete', ENQUEUE), /; how long .* queues\.setRetention/);
  assert.match(
    messageFor('jobId', ENQUEUE),
    /; ids are made here; unique: \{ key \} makes equal jobs one job\.$/,
  );
  assert.match(messageFor('repeat', ENQUEUE), /is a schedule: schedules\.set/);
  assert.match(messageFor('retryLimit', ENQUEUE), /"attempts"\? It counts the first run/);
});

test('a misspelt word finds its neighbour, a strange one none', () => {
  const words = ['failed', 'completed', 'cancelled'];
  assert.deepEqual(
    ['faild', 'compleated', 'canceled', 'zebra', 'x'].map((word) => nearest(word, words)),
    ['failed', 'completed', 'cancelled', null, null],
  );
});

test('plain objects are told from all others, in every realm', () => {
  for (const plain of [{}, { a: 1 }, Object.create(null), runInNewContext('({ a: 1 })')])
    assert.equal(isPlainObject(plain), true);
  for (const other of [
    null,
    undefined,
    1,
    'x',
    [],
    new Map(),
    new Set(),
    Promise.resolve(),
    new (class {})(),
  ])
    assert.equal(isPlainObject(other), false);
  assert.equal(isPlainObject(runInNewContext('new Map()')), false);
});
