import assert from 'node:assert/strict';
import { JOB_STEPS_CHECK_MS, JOB_STEPS_KIND, jobStepsKey } from '../../src/core/job-steps.ts';
import {
  type AnyTask,
  defineTask,
  type JobContext,
  type Longshore,
  LongshoreError,
} from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, Gate, nextEvent, onEachStore, record } from '../stage.ts';

/** Durable steps inside one handler: what is kept, what ends an attempt, what signals do. On every store. */
const MINUTE = 60_000;

type Run = (context: JobContext<unknown>) => unknown;

function taskOf(name: string, run: Run, attempts = 5): AnyTask {
  return defineTask({
    name,
    attempts,
    backoff: 0,
    run: run as (context: JobContext<unknown>) => Promise<unknown>,
  });
}

const settle = (longshore: Longshore, task: AnyTask) => longshore.worker({ tasks: [task] }).runUntilIdle();

onEachStore('a step that was done is not run again by a later attempt', async ({ connect }) => {
  const longshore = await connect();
  const ran: string[] = [];
  const task = taskOf('thrice', async ({ step, attempt }) => {
    const first = await step('first', () => {
      ran.push('first');
      return { at: new Date(0), number: attempt };
    });
    const nothing = await step('nothing', () => void ran.push('nothing'));
    if (attempt < 3) throw new Error('again');
    return [first, nothing ?? 'undefined', await step('last', async () => 'end')];
  });
  const { id } = await longshore.enqueue(task, null);
  await settle(longshore, task);
  const job = await longshore.jobs.get(id);
  assert.deepEqual(job?.result, [{ at: '1970-01-01T00:00:00.000Z', number: 1 }, 'undefined', 'end']);
  assert.deepEqual([job?.attempt, ran], [3, ['first', 'nothing']]);
  assert.deepEqual(job?.steps, []);
});

onEachStore(
  'steps side by side are all kept, and one that failed may be tried again',
  async ({ connect }) => {
    const longshore = await connect();
    const ran: string[] = [];
    const task = taskOf('parallel', async ({ step, attempt }) => {
      const numbers = Array.from({ length: 20 }, (_, number) => number);
      const doubled = await Promise.all(
        numbers.map((number) =>
          step(`double ${number}`, () => {
            ran.push(`double ${number}`);
            return number * 2;
          }),
        ),
      );
      const tried = () =>
        step('flaky', () => (ran.push('flaky') % 2 === 1 ? Promise.reject(new Error('no')) : 'yes'));
      const flaky = await tried().catch(tried);
      if (attempt === 1) throw new Error('again');
      return [doubled.length, doubled[19], flaky];
    });
    const job = await longshore.enqueue(task, null);
    await settle(longshore, task);
    assert.deepEqual(await job.result(), [20, 38, 'yes']);
    assert.equal(ran.length, 22);
  },
);

onEachStore('code that adds, removes and reorders steps goes on with what was kept', async ({ connect }) => {
  const longshore = await connect();
  const ran: string[] = [];
  const done = (name: string) => () => {
    ran.push(name);
    return name;
  };
  const before = taskOf(
    'deployed',
    async ({ step }) => {
      for (const name of ['a', 'b', 'c']) await step(name, done(name));
      throw new Error('a deploy comes');
    },
    1,
  );
  const after = taskOf('deployed', async ({ step }) => {
    const kept = [];
    for (const name of ['new', 'c', 'a']) kept.push(await step(name, done(name)));
    return kept;
  });
  const job = await longshore.enqueue(before, null);
  await settle(longshore, before);
  await longshore.jobs.redrive([job.id]);
  await settle(longshore, after);
  assert.deepEqual(await job.result(), ['new', 'c', 'a']);
  assert.deepEqual(ran, ['a', 'b', 'c', 'new']);
});

onEachStore(
  'bad names, doubled names, and results that cannot be kept are errors of the attempt',
  async ({ connect }) => {
    const longshore = await connect({ payloadBytesMax: 1_000 });
    const faults: Record<string, Run> = {
      STEP_DUPLICATE: async ({ step }) => {
        await step('same', () => 1);
        await step('same', () => 2);
      },
      PAYLOAD_NOT_JSON: ({ step }) => step('map', () => new Map()),
      PAYLOAD_TOO_LARGE: ({ step }) => step('large', () => 'x'.repeat(2_000)),
      OPTION_INVALID: ({ step }) => step('', () => 1),
      'OPTION_INVALID ': ({ sleep }) => sleep('never', Number.NaN),
      'OPTION_INVALID  ': ({ waitFor }) => waitFor('x', { timeout: 5 } as never),
      'OPTION_INVALID   ': ({ step }) => step('nothing', undefined as never),
    };
    for (const [code, run] of Object.entries(faults)) {
      const task = taskOf('faulty', run, 1);
      const { id } = await longshore.enqueue(task, null);
      await settle(longshore, task);
      const { state, errors } = (await longshore.jobs.get(id)) ?? {};
      assert.deepEqual([state, errors?.map((error) => error.code)], ['failed', [code.trim()]]);
    }
  },
);

onEachStore('a sleep ends the attempt uncharged, and is over when its time has come', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const ran: string[] = [];
  const task = taskOf(
    'sleeps',
    async ({ step, sleep, attempt }) => {
      await step('before', () => void ran.push('before'));
      await sleep('a while', MINUTE);
      await sleep('another', MINUTE);
      return step('after', () => `slept, attempt ${attempt}`);
    },
    1,
  );
  const seen = record(longshore, 'job.snoozed', 'job.completed');
  const job = await longshore.enqueue(task, null);
  await settle(longshore, task);
  const sleeping = await longshore.jobs.get(job.id);
  assert.deepEqual(
    [sleeping?.state, sleeping?.attempt, sleeping?.dueAt],
    ['scheduled', 0, clock.now() + MINUTE],
  );
  assert.deepEqual(
    sleeping?.steps.map(({ name, kind, state, until }) => [name, kind, state, until]),
    [
      ['before', 'step', 'kept', null],
      ['a while', 'sleep', 'waiting', clock.now() + MINUTE],
    ],
  );
  await longshore.jobs.reschedule([job.id], clock.now());
  await settle(longshore, task);
  assert.equal((await longshore.jobs.get(job.id))?.dueAt, clock.now() + MINUTE);
  await clock.advance(MINUTE);
  await settle(longshore, task);
  await clock.advance(MINUTE);
  await settle(longshore, task);
  assert.equal(await job.result(), 'slept, attempt 1');
  assert.deepEqual(ran, ['before']);
  assert.deepEqual(
    seen.map(({ name }) => name),
    ['job.snoozed', 'job.snoozed', 'job.snoozed', 'job.completed'],
  );
});

onEachStore(
  'a signal ends a wait, whether it comes before it, during it or while steps run',
  async ({ connect }) => {
    const longshore = await connect();
    const task = taskOf(
      'waits',
      async ({ id, step, waitFor }) => {
        const early = await waitFor<{ n: number }>('early');
        await step('during', () => longshore.jobs.signal(id, 'inside', [early.n]));
        await step('after', () => 'kept');
        const inside = await waitFor('inside');
        return [early, inside, (await waitFor('late')) ?? 'nothing'];
      },
      1,
    );
    const job = await longshore.enqueue(task, null);
    await longshore.jobs.signal(job.id, 'early', { n: 1 });
    await settle(longshore, task);
    const waiting = await longshore.jobs.get(job.id);
    assert.equal(waiting?.state, 'scheduled');
    assert.deepEqual(waiting?.steps.at(-1), {
      kind: 'signal',
      name: 'late',
      state: 'waiting',
      at: null,
      until: null,
      value: undefined,
    });
    await longshore.jobs.signal(job.id, 'late');
    const ready = await longshore.jobs.get(job.id);
    assert.equal(ready?.state, 'ready');
    assert.deepEqual([ready.audit.at(-1)?.action, ready.audit.at(-1)?.by], ['reschedule', 'signal']);
    await settle(longshore, task);
    assert.deepEqual(await job.result(), [{ n: 1 }, [1], 'nothing']);
    await assert.rejects(longshore.jobs.signal(job.id, 'late'), { code: 'JOB_STATE_REFUSED' });
  },
);

onEachStore('a signal that comes in the instant of the wait is kept', async ({ connectThrough }) => {
  let isSent = false;
  const longshore: Longshore = await connectThrough((store) => ({
    commit: async (units, options) => {
      const end = units.find(({ settle: ending }) => ending?.outcome.type === 'snoozed')?.settle;
      if (end === undefined || isSent) return store.commit(units, options);
      // The handler has ended, and what it waits for is not written yet.
      isSent = true;
      await longshore.jobs.signal(end.id, 'now', 'in time');
      return store.commit(units, options);
    },
  }));
  const task = taskOf('instant', ({ waitFor }) => waitFor('now'), 1);
  const job = await longshore.enqueue(task, null);
  await settle(longshore, task);
  assert.deepEqual([isSent, await job.result()], [true, 'in time']);
});

onEachStore(
  'a wait that times out gives null, for good, and its signal is refused then',
  async ({ connect }) => {
    const clock = new FakeClock();
    const longshore = await connect({ clock });
    const task = taskOf('patient', async ({ waitFor, attempt }) => {
      const answer = await waitFor('approval', { timeoutMs: MINUTE });
      if (attempt === 1) throw new Error('again');
      return answer;
    });
    const job = await longshore.enqueue(task, null);
    await settle(longshore, task);
    await clock.advance(MINUTE);
    const refused = nextEvent(longshore, 'job.retried').then(() =>
      assert.rejects(longshore.jobs.signal(job.id, 'approval', 'late'), { code: 'JOB_STATE_REFUSED' }),
    );
    await settle(longshore, task);
    await refused;
    assert.equal(await job.result(), null);
  },
);

onEachStore(
  'a payload that does not match the schema fails the attempt, and the next one counts',
  async ({ connect }) => {
    const longshore = await connect();
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'number' ? { value: value + 1 } : { issues: [{ message: 'no number' }] },
      },
    };
    const task = taskOf('picky', ({ waitFor }) => waitFor('number', { schema }));
    const job = await longshore.enqueue(task, null);
    await longshore.jobs.signal(job.id, 'number', 'seven');
    await settle(longshore, task);
    const { state, attempt, errors } = (await longshore.jobs.get(job.id)) ?? {};
    assert.deepEqual([state, attempt, errors?.map(({ code }) => code)], ['scheduled', 1, ['INPUT_INVALID']]);
    await longshore.jobs.signal(job.id, 'number', 7);
    await settle(longshore, task);
    assert.equal(await job.result(), 8);
  },
);

onEachStore(
  'signals are refused by jobs that are not there or have ended, and where one has come',
  async ({ connect }) => {
    const longshore = await connect();
    const task = taskOf('deaf', ({ waitFor }) => waitFor('x'), 1);
    await assert.rejects(longshore.jobs.signal('nobody', 'x'), { code: 'JOB_UNKNOWN' });
    const job = await longshore.enqueue(task, null);
    await longshore.jobs.signal(job.id, 'x', 'first');
    await assert.rejects(longshore.jobs.signal(job.id, 'x', 'second'), { code: 'JOB_STATE_REFUSED' });
    await assert.rejects(longshore.jobs.signal(job.id, '', 1), { code: 'OPTION_INVALID' });
    await assert.rejects(longshore.jobs.signal(job.id, 'y', new Map()), { code: 'PAYLOAD_NOT_JSON' });
    await settle(longshore, task);
    assert.equal(await job.result(), 'first');
    await assert.rejects(longshore.jobs.signal(job.id, 'y'), { code: 'JOB_STATE_REFUSED' });
  },
);

onEachStore(
  'sleeps and waits side by side end the attempt when no step is under way',
  async ({ connect }) => {
    const clock = new FakeClock();
    const longshore = await connect({ clock });
    const ran: string[] = [];
    const task = taskOf(
      'branches',
      async ({ step, sleep, waitFor }) => {
        const branch = async () => {
          await step('one', async () => void ran.push('one'));
          await step('two', async () => void ran.push('two'));
          return waitFor('go');
        };
        const [go] = await Promise.all([branch(), sleep('rest', MINUTE)]);
        return go;
      },
      1,
    );
    const job = await longshore.enqueue(task, null);
    await settle(longshore, task);
    const { steps } = (await longshore.jobs.get(job.id)) ?? {};
    assert.deepEqual(
      steps?.map(({ name, state }) => `${name} ${state}`),
      ['one kept', 'two kept', 'rest waiting', 'go waiting'],
    );
    await longshore.jobs.signal(job.id, 'go', 'on');
    await settle(longshore, task);
    assert.equal((await longshore.jobs.get(job.id))?.state, 'scheduled');
    await clock.advance(MINUTE);
    await settle(longshore, task);
    assert.equal(await job.result(), 'on');
    assert.deepEqual(ran, ['one', 'two']);
  },
);

onEachStore(
  'a handler that swallows the end of its attempt is told so, and what it kept stays',
  async ({ connect }) => {
    const longshore = await connect();
    const ran: string[] = [];
    const swallowing: Run[] = [
      async ({ step, sleep }) => {
        await step('kept', () => void ran.push('kept'));
        await sleep('nap', MINUTE).catch(() => 'never mind');
        return 'done';
      },
      async ({ sleep }) => {
        await sleep('nap', MINUTE).catch(() => {
          throw new Error('something else');
        });
      },
    ];
    for (const run of swallowing) {
      const task = taskOf('swallows', run, 2);
      const { id } = await longshore.enqueue(task, null);
      await settle(longshore, task);
      const { state, errors, steps } = (await longshore.jobs.get(id)) ?? {};
      assert.deepEqual(
        [state, errors?.map(({ code }) => code)],
        ['failed', Array(2).fill('SUSPENSION_SWALLOWED')],
      );
      assert.match(errors?.[0]?.message ?? '', /"nap"/);
      assert.ok((steps?.length ?? 0) <= 1);
    }
    assert.deepEqual(ran, ['kept']);
    // One that wraps it has not swallowed it.
    const task = taskOf('wraps', ({ sleep }) =>
      sleep('nap', MINUTE).catch((cause) => {
        throw new Error('wrapped', { cause });
      }),
    );
    const { id } = await longshore.enqueue(task, null);
    await settle(longshore, task);
    assert.equal((await longshore.jobs.get(id))?.state, 'scheduled');
  },
);

onEachStore('an attempt that lost its lease cannot keep anything any more', async ({ connectThrough }) => {
  const clock = new FakeClock();
  let reap = (): Promise<unknown> => Promise.resolve();
  const longshore = await connectThrough(
    (store) => {
      reap = () => store.reap();
      // No beats: the lease expires, and the worker does not hear of it.
      const keepAlive = {
        update: () => undefined,
        beat: async () => undefined,
        close: async () => undefined,
      };
      return { keepAlive: () => keepAlive };
    },
    { clock },
  );
  const gate = new Gate();
  const codes: unknown[] = [];
  const task = taskOf('stale', async ({ step, waitFor, signal }) => {
    const isFirst = await step('first', () => 'kept by the first');
    if (codes.push(isFirst) === 1) {
      await gate.wait();
      await step('late', () => 'of the first').catch(({ code }) => codes.push(code, signal.aborted));
      return 'of the first';
    }
    const result = [await step('next', () => 'of the second'), await waitFor('end')];
    return [...result, await step('late', () => 'of the second')];
  });
  const job = await longshore.enqueue(task, null);
  const worker = longshore.worker({
    tasks: [task],
    concurrency: 1,
    prefetchMax: 0,
    leaseMs: 1_000,
    roles: ['processing'],
  });
  await worker.start();
  await gate.reached;
  await clock.advance(1_000);
  await reap();
  await settle(longshore, task);
  const lost = nextEvent(longshore, 'job.lost');
  gate.open();
  await lost;
  await worker.stop();
  assert.deepEqual(codes, ['kept by the first', 'kept by the first', 'LEASE_LOST', true]);
  await longshore.jobs.signal(job.id, 'end', 'signal');
  await settle(longshore, task);
  assert.deepEqual(await job.result(), ['of the second', 'signal', 'of the second']);
});

onEachStore(
  'what a job kept ends with it, however it ends; redriven, it goes on',
  async ({ connectThrough }) => {
    const clock = new FakeClock();
    const stored = Promise.withResolvers<Store>();
    const longshore = await connectThrough(
      (store) => {
        stored.resolve(store);
        return {};
      },
      { clock },
    );
    const store = await stored.promise;
    const kept = async (id: string) => (await store.plan(jobStepsKey(id), 'all'))?.kept ?? null;
    const sweep = async () => {
      await clock.advance(2 * JOB_STEPS_CHECK_MS);
      await longshore.flows.planner.sweep(0);
    };
    const task = taskOf(
      'ends',
      async ({ step, sleep, input }) => {
        await step('one', () => 1);
        if (input === 'sleeps') await sleep('for ever', 100 * JOB_STEPS_CHECK_MS);
        if (input === 'fails') throw new Error('for good');
      },
      1,
    );
    const ids: Record<string, string> = {};
    for (const input of ['completes', 'sleeps', 'fails'])
      ids[input] = (await longshore.enqueue(task, input)).id;
    const { completes = '', sleeps = '', fails = '' } = ids;
    await settle(longshore, task);
    assert.equal(await kept(completes), null);
    await longshore.jobs.cancel([sleeps]);
    await sweep();
    // As long as they may be redriven.
    assert.deepEqual(
      [Object.keys((await kept(sleeps)) ?? {}).sort(), Object.keys((await kept(fails)) ?? {})],
      [['s:one', 'z:for ever'], ['s:one']],
    );
    await longshore.jobs.remove([sleeps]);
    await longshore.jobs.resolve([fails], 'by hand');
    await sweep();
    assert.deepEqual([await kept(sleeps), await kept(fails)], [null, null]);
    assert.deepEqual((await store.listPlans({ kind: JOB_STEPS_KIND, limit: 10 })).plans, []);
  },
);

onEachStore(
  'a worker brings a job forward whose signal has come, when the sender died',
  async ({ connectThrough }) => {
    const clock = new FakeClock();
    let dies = true;
    const longshore = await connectThrough(
      (store) => ({
        control: (...given) => (dies ? Promise.reject(new Error('it is dead')) : store.control(...given)),
      }),
      { clock },
    );
    const task = taskOf('orphan', ({ waitFor }) => waitFor('x'), 1);
    const job = await longshore.enqueue(task, null);
    await settle(longshore, task);
    await assert.rejects(longshore.jobs.signal(job.id, 'x', 'told'), { message: 'it is dead' });
    dies = false;
    assert.equal((await longshore.jobs.get(job.id))?.state, 'scheduled');
    await clock.advance(MINUTE);
    // Which looks at what is due first.
    await settle(longshore, task);
    assert.equal(await job.result(), 'told');
  },
);

onEachStore(
  'what is kept is sealed where payloads are, and opens in its place alone',
  async ({ connect, kind }) => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const longshore = await connect({ encryption: { keys: [{ id: 'k', key }] } });
    const task = taskOf('secret', async ({ step, waitFor }) => [
      await step('secret', () => 'plain words'),
      await waitFor('more'),
      await waitFor('rest'),
    ]);
    const job = await longshore.enqueue(task, null);
    await longshore.jobs.signal(job.id, 'more', 'plain words');
    await settle(longshore, task);
    const [, more] = (await longshore.jobs.get(job.id))?.steps ?? [];
    assert.equal(more?.value, 'plain words');
    if (kind !== 'memory') {
      const { steps = [] } = (await (await connect()).jobs.get(job.id)) ?? {};
      assert.equal(steps.length, 3);
      for (const { value } of steps.slice(0, 2))
        assert.match(JSON.stringify(value), /^\{"corrupt":"sealed:1:k:/);
    }
    await longshore.jobs.signal(job.id, 'rest', 'plain words');
    await settle(longshore, task);
    assert.deepEqual(await job.result(), Array(3).fill('plain words'));
  },
);

onEachStore('a thousand steps are each written once, and found again', async ({ connectThrough }) => {
  let writes = 0;
  const longshore = await connectThrough((store) => ({
    commit: (units, options) => {
      for (const { plans = [] } of units) for (const { keep = [] } of plans) writes += keep.length;
      return store.commit(units, options);
    },
  }));
  const task = taskOf('many', async ({ step, attempt }) => {
    let sum = 0;
    const numbers = Array.from({ length: 1_000 }, (_, number) => number);
    for (let from = 0; from < 1_000; from += 100)
      for (const number of await Promise.all(
        numbers.slice(from, from + 100).map((n) => step(`step ${n}`, () => n)),
      ))
        sum += number;
    if (attempt === 1) throw new Error('again');
    return sum;
  });
  const job = await longshore.enqueue(task, null);
  await settle(longshore, task);
  assert.deepEqual([await job.result(), writes], [499_500, 1_000]);
});

onEachStore(
  'who awaits its result hears it where the queue keeps nothing of ended jobs',
  async ({ connect }) => {
    const longshore = await connect();
    await longshore.queues.setRetention('default', { completed: { ageMs: 0, count: 0 } });
    const task = taskOf('unkept', ({ step }) => step('one', () => 'heard'));
    const result = (await longshore.enqueue(task, null)).result();
    await settle(longshore, task);
    assert.equal(await result, 'heard');
  },
);

onEachStore(
  'a store that is away for a while holds a step up, and fails none',
  async ({ connectThrough }) => {
    const clock = new FakeClock();
    let refusals = 0;
    const away = () => {
      refusals += 1;
      return Promise.reject(new LongshoreError('STORE_UNAVAILABLE', 'It is away.'));
    };
    const longshore = await connectThrough(
      (store) => ({
        plan: (...given) => (refusals < 2 ? away() : store.plan(...given)),
        commit: (...given) => (refusals < 5 ? away() : store.commit(...given)),
      }),
      { clock },
    );
    const ran: string[] = [];
    const task = taskOf(
      'patient',
      async ({ step }) => {
        await step('one', () => void ran.push('one'));
        return step('two', () => ran.length);
      },
      1,
    );
    const job = await longshore.enqueue(task, null);
    await advanceUntil(clock, settle(longshore, task));
    assert.deepEqual([await job.result(), refusals], [1, 5]);
  },
);
