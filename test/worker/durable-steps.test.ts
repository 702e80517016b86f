import assert from 'node:assert/strict';
import { JOB_STEPS_CHECK_MS, JOB_STEPS_KIND, jobStepsKey } from '../../src/core/job-steps.ts';
import { LongshoreError } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { advanceUntil, Gate, nextEvent, onEachStore } from '../stage.ts';
import { MINUTE, type Run, settle, taskOf } from './durable-tasks.ts';

/** Durable steps inside one handler: what is kept, by whom, and for how long. On every store. */

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
      STEP_NESTED: ({ step, sleep }) => step('outer', () => sleep('inner', 1)),
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
    for (const input of ['completes', 'sleeps', 'fails', 'plain'])
      ids[input] = (await longshore.enqueue(task, input)).id;
    const { completes = '', sleeps = '', fails = '', plain = '' } = ids;
    await longshore.jobs.signal(plain, 'unasked');
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
    for (const id of Object.values(ids)) assert.equal(await kept(id), null);
    assert.deepEqual((await store.listPlans({ kind: JOB_STEPS_KIND, limit: 10 })).plans, []);
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

onEachStore('steps, sleeps and waits that nobody awaits harm neither job nor worker', async ({ connect }) => {
  const longshore = await connect();
  const task = taskOf('careless', async ({ step, sleep, waitFor }) => {
    await step('one', () => 1);
    void sleep('nap', MINUTE);
    void waitFor('signal');
    void step('two', () => Promise.reject(new Error('unheard')));
    return 'done';
  });
  const job = await longshore.enqueue(task, null);
  await settle(longshore, task);
  assert.equal(await job.result(), 'done');
});
