import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, defineTask, type Longshore, LongshoreError } from '../src/index.ts';
import { onEachStore } from './stage.ts';

/**
 * Whatever is given to a public entry, what comes back is an error of ours that names it: never a TypeError from within,
 * never one that says "try again" or blames Longshore, and no job is touched.
 */
const task = defineTask({ name: 'task', run: () => 'ran' });

function circular(): object {
  const one: Record<string, unknown> = {};
  one.self = one;
  return one;
}

const throwing = Object.defineProperty({}, 'queue', {
  enumerable: true,
  get: () => assert.fail('a getter of the caller'),
});

const ODD: readonly unknown[] = [
  null,
  0,
  5,
  -1,
  Number.NaN,
  '',
  '\0',
  'x'.repeat(300),
  true,
  7n,
  Symbol('odd'),
  () => undefined,
  [],
  [null],
  [undefined, 'x'],
  [5],
  {},
  { delay: 5 },
  { constructor: 1, __proto__: null },
  new Map([['queue', 'mail']]),
  new Set(['id']),
  new Date(0),
  new Date(Number.NaN),
  new (class Query {
    queue = 5;
  })(),
  Promise.resolve('id'),
  Promise.resolve({ queue: 'mail' }),
  new AbortController().signal,
  new String('id'),
  Object.create(null),
  circular(),
];

/** Each takes an odd value in one place; what is made is stopped or closed again. */
function entries(longshore: Longshore): Readonly<Record<string, (odd: never) => unknown>> {
  const { jobs, queues } = longshore;
  const handle = jobs.handle('no-such-job');
  return {
    'enqueue: task': (odd) => longshore.enqueue(odd, 1 as never),
    'enqueue: options': (odd) => longshore.enqueue('task', 1, odd),
    'enqueue: queue': (odd) => longshore.enqueue('task', 1, { queue: odd }),
    'enqueue: priority': (odd) => longshore.enqueue('task', 1, { priority: odd }),
    'enqueue: delayMs': (odd) => longshore.enqueue('task', 1, { delayMs: odd }),
    'enqueue: at': (odd) => longshore.enqueue('task', 1, { at: odd }),
    'enqueue: attempts': (odd) => longshore.enqueue('task', 1, { attempts: odd }),
    'enqueue: unique': (odd) => longshore.enqueue('task', 1, { unique: odd }),
    'enqueue: unique.key': (odd) => longshore.enqueue('task', 1, { unique: { key: odd } }),
    'enqueue: unique.mode': (odd) => longshore.enqueue('task', 1, { unique: { mode: odd } }),
    'enqueue: unique.scope': (odd) => longshore.enqueue('task', 1, { unique: { scope: odd } }),
    'enqueue: unique.periodMs': (odd) => longshore.enqueue('task', 1, { unique: { periodMs: odd } }),
    'enqueue: key': (odd) => longshore.enqueue('task', 1, { key: odd }),
    'enqueue: tx': (odd) => longshore.enqueue('task', 1, { tx: odd }),
    'enqueueMany: inputs': (odd) => longshore.enqueueMany('task', odd),
    'enqueueMany: options': (odd) => longshore.enqueueMany('task', [1], odd),
    'enqueueMany: options of one': (odd) => longshore.enqueueMany('task', [1], () => odd),
    defineTask: (odd) => defineTask(odd),
    'defineTask: name': (odd) => defineTask({ name: odd, run: () => 1 }),
    'defineTask: input': (odd) => defineTask({ name: 't', run: () => 1, input: odd }),
    'defineTask: run': (odd) => defineTask({ name: 't', run: odd }),
    'defineTask: backoff': (odd) => defineTask({ name: 't', run: () => 1, backoff: odd }),
    'defineTask: unique': (odd) => defineTask({ name: 't', run: () => 1, unique: odd }),
    'defineTask: strategy': (odd) => defineTask({ name: 't', run: () => 1, strategy: odd }),
    worker: (odd) => longshore.worker(odd),
    'worker: tasks': (odd) => longshore.worker({ tasks: odd }),
    'worker: roles': (odd) => longshore.worker({ tasks: [task], roles: odd }),
    'worker: queues': (odd) => longshore.worker({ tasks: [task], queues: odd }),
    'worker: concurrency': (odd) => longshore.worker({ tasks: [task], concurrency: odd }),
    'worker: tuner': (odd) => longshore.worker({ tasks: [task], tuner: odd }),
    'worker: strategy': (odd) => longshore.worker({ tasks: [task], strategy: odd }),
    stop: (odd) => longshore.worker({ tasks: [task] }).stop(odd),
    'stop: graceMs': (odd) => longshore.worker({ tasks: [task] }).stop({ graceMs: odd }),
    start: async (odd) => {
      const worker = longshore.worker({ tasks: [task], queues: ['nobody'] });
      await worker.start(odd).finally(() => worker.stop());
    },
    stopRole: (odd) => longshore.worker({ tasks: [task] }).stopRole(odd),
    on: (odd) => longshore.on(odd, () => undefined),
    'on: listener': (odd) => longshore.on('worker.claimed', odd)(),
    health: (odd) => longshore.health(odd),
    'health: timeoutMs': (odd) => longshore.health({ timeoutMs: odd }),
    'jobs.get': (odd) => jobs.get(odd),
    'jobs.handle': (odd) => jobs.handle(odd),
    'jobs.list': (odd) => jobs.list(odd),
    'jobs.list: state': (odd) => jobs.list({ state: odd }),
    'jobs.list: queue': (odd) => jobs.list({ queue: odd }),
    'jobs.list: task': (odd) => jobs.list({ task: odd }),
    'jobs.list: limit': (odd) => jobs.list({ limit: odd }),
    'jobs.list: cursor': (odd) => jobs.list({ cursor: odd }),
    'jobs.cancel: options': (odd) => jobs.cancel('no-such-job', odd),
    'jobs.cancel: by': (odd) => jobs.cancel('no-such-job', { by: odd }),
    'jobs.cancel: why': (odd) => jobs.cancel('no-such-job', { why: odd }),
    'jobs.signal': (odd) => jobs.signal(odd, 'name'),
    'jobs.signal: name': (odd) => jobs.signal('no-such-job', odd),
    'jobs.reschedule: at': (odd) => jobs.reschedule('no-such-job', odd),
    'jobs.reprioritize: priority': (odd) => jobs.reprioritize('no-such-job', odd),
    'jobs.edit: id': (odd) => jobs.edit(odd, 1),
    'jobs.why': (odd) => jobs.why(odd),
    'audit.record': (odd) => longshore.audit.record(odd),
    'audit.list': (odd) => longshore.audit.list(odd),
    http: async (odd) => longshore.http(odd).close(),
    result: (odd) => handle.result(odd),
    'result: signal': (odd) => handle.result({ signal: odd }),
    'result: timeoutMs': (odd) => handle.result({ timeoutMs: odd }),
    ended: (odd) => handle.ended(odd),
    'queues.pause': (odd) => queues.pause(odd),
    'queues.resume': (odd) => queues.resume(odd),
    'queues.drain': (odd) => queues.drain(odd),
    'queues.obliterate': (odd) => queues.obliterate(odd),
    'queues.obliterate: options': (odd) => queues.obliterate('none', odd),
    'queues.obliterate: force': (odd) => queues.obliterate('none', { force: odd }),
    'queues.setRetention: queue': (odd) => queues.setRetention(odd, {}),
    'queues.setRetention': (odd) => queues.setRetention('q', odd),
    'queues.setRetention: failed': (odd) => queues.setRetention('q', { failed: odd }),
    'queues.setLimits': (odd) => queues.setLimits('q', odd),
    'queues.setLimits: rate': (odd) => queues.setLimits('q', { rate: odd }),
    'queues.setLimits: perKey': (odd) => queues.setLimits('q', { perKey: odd }),
    'queues.setAgeing': (odd) => queues.setAgeing('q', odd),
    connect: async (odd) => (await connect('memory:', odd)).close(),
    'connect: url': async (odd) => (await connect(odd)).close(),
    'connect: encryption': async (odd) => (await connect('memory:', { encryption: odd })).close(),
    'connect: encryption.keys': async (odd) =>
      (await connect('memory:', { encryption: { keys: odd } })).close(),
    'connect: encryption.keys.key': async (odd) =>
      (await connect('memory:', { encryption: { keys: [{ id: 'a', key: odd }] } })).close(),
    'connect: workerSettings': async (odd) => (await connect('memory:', { workerSettings: odd })).close(),
    'connect: clock': async (odd) => (await connect('memory:', { clock: odd })).close(),
    'connect: client': async (odd) => (await connect('memory:', { client: odd })).close(),
  };
}

const BULK = {
  cancel: undefined,
  redrive: undefined,
  remove: undefined,
  resolve: 'done by hand',
  reschedule: 0,
  reprioritize: 'low',
} as const;

onEachStore('an odd argument is refused by an error of ours that blames nobody else', async (stage) => {
  const longshore = await stage.connect();
  for (const [entry, call] of Object.entries(entries(longshore))) {
    for (const odd of ODD) {
      const error = await errorOf(() => call(odd as never));
      if (error === null) continue;
      if (error instanceof LongshoreError && error.code === 'RESULT_TIMEOUT') continue;
      const told = `${entry} of ${String(describe(odd))}: ${describe(error)}`;
      assert.ok(error instanceof LongshoreError, told);
      assert.equal(error.retryable, false, told);
      assert.match(error.code, /^(OPTION|TASK|STORE_URL)_INVALID$|^JOB_UNKNOWN$/, told);
      assert.doesNotMatch(error.message, /defect/, told);
    }
  }
  assert.equal((await longshore.health()).ok, true);
});

onEachStore('no bulk action takes an odd selection for "every job"', async (stage) => {
  const longshore = await stage.connect();
  const { jobs } = longshore;
  const id = (await longshore.enqueue('task', 1)).id;
  const selections = [
    ...ODD.filter((odd) => typeof odd !== 'string' && !(Array.isArray(odd) && odd.length === 0)),
    undefined,
    throwing,
    new Set([id]),
    new Map([[id, true]]),
    Promise.resolve([id]),
    { queue: undefined },
    { queue: 5 },
    { task: null },
    { state: [] },
    { state: 'done' },
    { all: false },
    { all: 'yes' },
    { all: true, queue: undefined },
    { all: true, queu: 'default' },
    { id },
    { ids: [id] },
    [{ id }],
    [[id]],
    await jobs.get(id),
    jobs.handle(id),
    [jobs.handle(id)],
  ];
  for (const [verb, argument] of Object.entries(BULK)) {
    const act = jobs[verb as keyof typeof BULK].bind(jobs) as (...given: unknown[]) => Promise<unknown>;
    for (const selection of selections) {
      const error = await errorOf(() => act(selection, argument));
      const told = `${verb} of ${describe(selection)}: ${describe(error)}`;
      if (selection === throwing) continue;
      assert.ok(error instanceof LongshoreError && error.code === 'OPTION_INVALID', told);
      assert.match(error.message, /selection/, told);
    }
  }
  const [left] = (await jobs.list()).jobs;
  assert.deepEqual([left?.id, left?.state, left?.priority], [id, 'ready', 0]);
});

test('what is refused is named, and what was probably meant', async (t) => {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  const { jobs, queues } = longshore;
  const job = await longshore.enqueue('task', 1);
  const messages: readonly (readonly [() => unknown, RegExp])[] = [
    [
      () => longshore.enqueue('task', 1, { delay: 5_000 } as never),
      /^enqueue has no option "delay"; did you mean "delayMs"\?/,
    ],
    [
      () =>
        longshore.enqueueMany('task', [1, 2], (_, index) => (index === 1 ? ({ jobId: 'x' } as never) : {})),
      /^inputs\[1\]: enqueueMany has no option "jobId"; ids are made here/,
    ],
    [
      () => defineTask({ name: 'a', run: () => 1, retries: 3 } as never),
      /^defineTask has no option "retries"; did you mean "attempts"\?/,
    ],
    [
      () => longshore.worker({ tasks: [task], concurency: 1 } as never),
      /^worker has no option "concurency"; did you mean "concurrency"\?/,
    ],
    [
      () => longshore.on('job.complete' as never, () => 1),
      /^There is no event "job\.complete"; did you mean "job\.completed"\?/,
    ],
    [() => longshore.on('job.completed', undefined as never), /the listener of job\.completed is undefined/],
    [
      () => jobs.list({ status: 'failed' } as never),
      /^jobs\.list has no option "status"; did you mean "state"\?/,
    ],
    [() => jobs.list({ queue: 5 as never }), /^queue is 5; expected a string/],
    [
      () => jobs.list({ state: new Set(['failed']) as never }),
      /^state is an object \(Set\); expected one of/,
    ],
    [
      () => queues.setLimits('q', { rate: { max: 5, perMs: 1 } } as never),
      /^limits\.rate has no option "max"; did you mean "count"\?/,
    ],
    [
      () => queues.setRetention('q', { completed: { age: 5 } } as never),
      /^retention\.completed has no option "age"; did you mean "ageMs"\?/,
    ],
    [
      () => queues.obliterate('q', { forse: true } as never),
      /^obliterate has no option "forse"; did you mean "force"\?/,
    ],
    [
      () => longshore.health({ timeout: 5 } as never),
      /^health has no option "timeout"; did you mean "timeoutMs"\?/,
    ],
    [() => job.result({ timeout: 5 } as never), /no option "timeout"; did you mean "timeoutMs"\?/],
    [() => job.result({ signal: {} as never }), /^signal is an object \(Object\); expected an AbortSignal/],
    [
      () => longshore.worker({ tasks: [task] }).stop({ grace: 5 } as never),
      /^stop has no option "grace"; did you mean "graceMs"\?/,
    ],
    [
      () => connect('memory:', { pool: {} } as never),
      /^connect has no option "pool"; did you mean "client"\?/,
    ],
    [
      () => jobs.remove(Promise.resolve([job.id]) as never),
      /selection is an object \(Promise\);.*did you forget await\?/,
    ],
    [() => jobs.remove(job as never), /selection is an object \(JobHandle\);.*give its id/],
    [() => jobs.remove({ id: job.id } as never), /no criterion "id"; give the id itself/],
    [() => jobs.remove({}), /selection is \{\}, which names no job; expected .* or \{ all: true \}/],
    [() => jobs.get(Promise.resolve(job) as never), /^id is an object \(Promise\);.*did you forget await\?/],
  ];
  for (const [call, message] of messages) {
    const error = await errorOf(call);
    assert.ok(error instanceof LongshoreError, message.source);
    assert.equal(error.code, 'OPTION_INVALID', message.source);
    assert.match(error.message, message);
  }
});

onEachStore('an option that is undefined counts as absent', async ({ connect }) => {
  const longshore = await connect();
  const absent = undefined as never;
  const { jobs, queues } = longshore;
  const { id } = await longshore.enqueue('task', 1, { queue: absent, delayMs: absent, unique: absent });
  await longshore.enqueueMany('task', [1], () => absent);
  assert.equal((await jobs.list({ queue: absent, state: absent, limit: absent })).jobs.length, 2);
  await queues.setLimits('default', { concurrency: 3, perKey: { concurrency: 2 } });
  const { limits } = await queues.setLimits('default', {
    concurrency: absent,
    rate: absent,
    perKey: { concurrency: absent, ordered: absent },
  });
  assert.deepEqual([limits.concurrency, limits.rate, limits.perKey.concurrency], [3, null, 2]);
  const before = (await queues.setRetention('default', {})).retention;
  const { retention } = await queues.setRetention('default', { completed: absent });
  assert.deepEqual(retention, before);
  assert.deepEqual((await jobs.cancel(id, { by: absent, why: absent })).done, [id]);
});

/** What `call` throws or rejects with; null when it does neither. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return null;
  } catch (error) {
    return error;
  }
}

function describe(value: unknown): string {
  try {
    return value instanceof Error ? (value.stack ?? value.message) : (JSON.stringify(value) ?? String(value));
  } catch {
    return typeof value;
  }
}
