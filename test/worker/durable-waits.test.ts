import assert from 'node:assert/strict';
import { jobOfSteps } from '../../src/core/job-steps.ts';
import type { Longshore } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { nextEvent, onEachStore, record } from '../stage.ts';
import { MINUTE, type Run, settle, taskOf } from './durable-tasks.ts';

/** Durable steps inside one handler: what ends an attempt, and what signals do. On every store. */

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

onEachStore('a signal that comes as its wait times out counts', async ({ connectThrough }) => {
  const clock = new FakeClock();
  let isSent = false;
  const longshore: Longshore = await connectThrough(
    (store) => ({
      commit: async (units, options) => {
        const [change] = units[0]?.plans ?? [];
        if (!isSent && change?.keep?.some(({ name }) => name === 't:approval')) {
          isSent = true;
          await longshore.jobs.signal(jobOfSteps(change.key), 'approval', 'just in time');
        }
        return store.commit(units, options);
      },
    }),
    { clock },
  );
  const task = taskOf('hurried', ({ waitFor }) => waitFor('approval', { timeoutMs: MINUTE }), 1);
  const job = await longshore.enqueue(task, null);
  await settle(longshore, task);
  await clock.advance(MINUTE);
  await settle(longshore, task);
  assert.deepEqual([await job.result(), isSent], ['just in time', true]);
});
