import assert from 'node:assert/strict';
import {
  defineFlow,
  defineTask,
  type Longshore,
  LongshoreError,
  UnrecoverableError,
} from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/system-clock.ts';
import { eventually, Gate, nextEvent, onEachStore, PLAN_KINDS, SHARED_KINDS } from '../stage.ts';

/** Things that happen to a run at the same time. */
const SHARED = PLAN_KINDS.filter((kind) => SHARED_KINDS.includes(kind));
// biome-ignore lint/suspicious/noExplicitAny: what these tasks take does not matter here.
const echo = defineTask<any, any>({ name: 'echo', run: ({ input }) => input });

onEachStore(
  'of many starts with one id at a time, one starts the run',
  async ({ connect }) => {
    const [one, two] = [await connect(), await connect()];
    const flow = defineFlow({ name: 'f', steps: (s) => s.step('a', echo) });
    const starts = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : two).flows.start(flow, index, { id: 'same' }),
    );
    const runs = await Promise.all(starts);
    assert.equal(runs.filter(({ status }) => status === 'created').length, 1);
    await one.worker({ tasks: [echo] }).runUntilIdle();
    assert.equal((await one.jobs.list({ task: 'echo' })).jobs.length, 1);
    const results = await Promise.all(runs.map((run) => run.result()));
    assert.equal(new Set(results).size, 1);
  },
  SHARED,
);

onEachStore(
  'a fan-out that is cancelled by others while it is being created ends, and nothing of it is left',
  async ({ connect }) => {
    const [one, two] = [await connect(), await connect()];
    const flow = defineFlow({ name: 'f', steps: (s) => s.each('items', echo, { over: 5_000 }) });
    const run = await one.flows.start(flow, null);
    const key = [`run/${run.id}`];
    await Promise.all([
      one.flows.planner.kick(key),
      two.flows.planner.kick(key),
      two.flows.cancel(run.id),
      one.worker({ tasks: [echo] }).runUntilIdle(),
    ]);
    await two.worker({ tasks: [echo] }).runUntilIdle();
    assert.equal((await run.ended()).state, 'cancelled');
    for (const state of ['ready', 'running', 'scheduled'] as const)
      assert.deepEqual((await one.jobs.list({ state })).jobs, []);
  },
  SHARED,
);

onEachStore(
  'a signal and the end of its wait at the same time: one of them counts, and the run ends',
  async ({ connect }) => {
    const [one, two] = [await connect(), await connect()];
    const flow = defineFlow({
      name: 'f',
      steps: (s) => s.waitFor('go', null, { timeoutMs: 20, onTimeout: 'continue' }),
    });
    const worker = await one.worker({ tasks: [echo] });
    await worker.start();
    const runs = await one.flows.startMany(flow, Array(30).fill(null));
    const sent = await Promise.allSettled(runs.map(({ id }) => two.flows.signal(id, 'go', 'sent')));
    for (const [index, run] of runs.entries()) {
      const result = await run.result();
      const signal = sent[index];
      if (signal?.status === 'rejected') {
        assert.equal((signal.reason as LongshoreError).code, 'RUN_STATE_REFUSED');
        assert.equal(result, null);
      } else assert.ok(result === 'sent' || result === null);
    }
  },
  SHARED,
);

onEachStore('while a run undoes, nothing is retried, and it ends', async ({ connect }) => {
  const longshore = await connect();
  const gate = new Gate();
  const fail = defineTask({
    name: 'fail',
    run: () => {
      throw new UnrecoverableError('no');
    },
  });
  const undo = defineTask<unknown, void>({ name: 'undo', run: () => gate.wait() });
  const flow = defineFlow({
    name: 'f',
    steps: (s) => s.step('b', fail, { after: [s.step('a', echo, { undo })] }),
  });
  await longshore.worker({ tasks: [echo, fail, undo] }).start();
  const run = await longshore.flows.start(flow, 1);
  await gate.reached;
  for (const act of ['retry', 'resolve', 'skip'] as const)
    await assert.rejects(longshore.flows[act](run.id, 'b'), { code: 'RUN_STATE_REFUSED', message: /undone/ });
  await assert.rejects(longshore.flows.cancel(run.id), { code: 'RUN_STATE_REFUSED' });
  gate.open();
  assert.equal((await run.ended()).state, 'failed');
});

onEachStore(
  'a running step that is completed by hand is stopped, and its end counts no more',
  async (stage) => {
    const longshore = await stage.connect();
    const gate = new Gate();
    const slow = defineTask<unknown, string>({
      name: 'slow',
      run: async ({ signal }) => {
        await Promise.race([
          gate.wait(),
          new Promise((resolve) => signal.addEventListener('abort', resolve)),
        ]);
        return 'by the job';
      },
    });
    const flow = defineFlow({ name: 'f', steps: (s) => ({ a: s.step('a', slow), b: s.step('b', slow) }) });
    await longshore.worker({ tasks: [slow] }).start();
    const run = await longshore.flows.start(flow, 1);
    await nextEvent(longshore, 'job.started');
    await eventually(async () => (await longshore.jobs.list({ state: 'running' })).jobs.length === 2);
    await longshore.flows.complete(run.id, 'a', 'by hand');
    await longshore.flows.skip(run.id, 'b');
    assert.deepEqual(await run.result(), { a: 'by hand', b: null });
    await eventually(async () => (await longshore.jobs.list({ state: 'running' })).jobs.length === 0);
    assert.deepEqual(await run.result(), { a: 'by hand', b: null });
  },
);

onEachStore('when the jobs of a fan-out are removed, the run ends and says so', async ({ connect }) => {
  const longshore = await connect();
  const flow = defineFlow({
    name: 'f',
    steps: (s) => {
      s.each('some', echo, { over: 3, failure: 'continue' });
      return s.step('one', echo, { failure: 'continue', input: () => 1 });
    },
  });
  const run = await longshore.flows.start(flow, null);
  await longshore.flows.planner.sweep(0);
  await longshore.jobs.remove({ state: 'ready' });
  await longshore.worker({ tasks: [echo] }).runUntilIdle();
  assert.equal(await run.result(), null);
  const detail = await longshore.flows.get(run.id);
  assert.deepEqual(
    detail?.steps.map(({ state, error, items }) => [state, error?.code ?? null, items?.failed ?? null]),
    [
      ['completed', null, 3],
      ['failed', 'JOB_CANCELLED', null],
    ],
  );
});

onEachStore(
  'a run that the store does not take holds up no other one',
  async ({ connect, connectThrough }) => {
    const longshore = await connect();
    const flow = defineFlow({ name: 'f', steps: (s) => s.waitFor('go') });
    const runs = await longshore.flows.startMany(flow, [1, 2, 3], (input) => ({ id: `r${input}` }));
    // Nobody decides on the signals meanwhile.
    for (const { id } of runs) await signalOnly(longshore, id);
    const planning = await connectThrough((store) => ({
      commit: async (units, options) => {
        if (units.some(({ plans = [] }) => plans.some(({ key }) => key === 'run/r2')))
          throw new LongshoreError('STORE_FAILED', 'This one cannot be kept.');
        return store.commit(units, options);
      },
    }));
    const stuck = nextEvent(planning, 'plan.stuck');
    await planning.flows.planner.sweep(0);
    assert.equal((await stuck).key, 'run/r2');
    assert.deepEqual([await runs[0]?.result(), await runs[2]?.result()], ['sent', 'sent']);
    assert.equal((await longshore.flows.get('r2'))?.state, 'waiting');
  },
  SHARED,
);

/** As flows.signal, by a process that dies at once. */
async function signalOnly({ flows }: Longshore, id: string): Promise<void> {
  const { planner } = flows;
  const kick = planner.kick;
  planner.kick = () => Promise.resolve();
  await flows.signal(id, 'go', 'sent');
  planner.kick = kick;
}

onEachStore(
  'times of a run go by the clock of the store, not by that of the machine that starts it',
  async ({ connect, connectThrough }) => {
    const longshore = await connect();
    let real: Partial<Store> = {};
    await connectThrough((store) => {
      real = { duePlans: (call) => store.duePlans(call), commit: (units) => store.commit(units) };
      return {};
    });
    // A machine whose clock is a day behind, and a store that keeps its own time.
    const clock = { ...systemClock, now: () => systemClock.now() - 86_400_000 };
    const behind = await connectThrough(() => real, { clock });
    const flow = defineFlow({ name: 'f', steps: (s) => s.waitFor('go', null, { timeoutMs: 3_600_000 }) });
    const run = await behind.flows.start(flow, null);
    await longshore.flows.planner.sweep(0);
    assert.equal((await longshore.flows.get(run.id))?.state, 'waiting');
    await longshore.flows.signal(run.id, 'go', 'in time');
    assert.equal(await run.result(), 'in time');
  },
  SHARED,
);
