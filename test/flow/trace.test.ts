import assert from 'node:assert/strict';
import { dag7, tasks } from '../../examples/flows/shapes.ts';
import { noKeys } from '../../src/cipher.ts';
import { PayloadCodec, type PayloadPlace } from '../../src/core/payload.ts';
import { traceOf } from '../../src/flow/trace.ts';
import { defineTask, type Trace } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/system-clock.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { onEachStore, overlay, PLAN_KINDS } from '../stage.ts';

const rounded = (ms: number): number => Math.round(ms);

function requireSum({ sum, totalMs }: Trace): void {
  const added = Object.values(sum.phases).reduce((total, ms) => total + ms, 0);
  assert.equal(rounded(added + sum.otherMs), rounded(totalMs));
  assert.equal(sum.totalMs, totalMs);
}

onEachStore(
  'a run tells where its time went: every step with its worker, adding up to the end-to-end time',
  async ({ connect }) => {
    const longshore = await connect();
    const run = await longshore.flows.start(dag7, null, { meta: { correlationId: 'request-7' } });
    const worker = longshore.worker({ tasks });
    await worker.runUntilIdle();
    const trace = await longshore.trace(run.id);
    assert.ok(trace !== null);
    assert.deepEqual([trace.kind, trace.correlationId, trace.runs.length], ['run', 'request-7', 1]);
    const detail = await longshore.flows.get(run.id);
    assert.deepEqual(trace.jobs.map(({ step }) => step).sort(), detail?.steps.map(({ name }) => name).sort());
    for (const { worker: id, phases, attempts } of trace.jobs) {
      assert.deepEqual([id, attempts.length], [worker.id, 1]);
      assert.ok(phases.some(({ name }) => name === 'run'));
      assert.ok(!phases.some(({ name }) => name === 'busy'));
    }
    assert.deepEqual(trace.notStored, []);
    const end = detail?.endedAt ?? 0;
    assert.equal(trace.totalMs, end - (detail?.startedAt ?? 0));
    assert.equal(trace.jobs.find(({ id }) => id === trace.sum.path.at(-1))?.step, 'finalize');
    assert.equal(trace.jobs.find(({ id }) => id === trace.sum.path[0])?.step, 'init');
    requireSum(trace);
  },
  PLAN_KINDS,
);

onEachStore('without a correlation id, what is not stored is named', async ({ connect }) => {
  const longshore = await connect();
  const run = await longshore.flows.start(dag7, null);
  await longshore.worker({ tasks }).runUntilIdle();
  const trace = await longshore.trace(run.id);
  assert.ok(trace !== null);
  assert.match(trace.notStored.join(), /worker, claim, run and settle of 7 of 7 jobs/);
  assert.ok(
    trace.jobs.every(({ worker, phases }) => worker === null && !phases.some(({ name }) => name === 'run')),
  );
  requireSum(trace);
});

onEachStore('a job tells every attempt, and an unknown id is null', async ({ connect }) => {
  const longshore = await connect();
  let failures = 1;
  const flaky = defineTask({
    name: 'flaky',
    backoff: 0,
    run: () => {
      failures -= 1;
      if (failures >= 0) throw new Error('not yet');
    },
  });
  const { id } = await longshore.enqueue(flaky, undefined, { meta: { correlationId: 'request-8' } });
  await longshore.worker({ tasks: [flaky] }).runUntilIdle();
  const trace = await longshore.trace(id);
  assert.deepEqual(
    trace?.jobs[0]?.attempts.map(({ attempt }) => attempt),
    [1, 2],
  );
  requireSum(trace as Trace);
  assert.equal(await longshore.trace('nothing-like-it'), null);
});

onEachStore(
  'all jobs of a correlation id are told together: those of handlers and of runs with those of the request',
  async ({ connect }) => {
    const longshore = await connect();
    const inner = defineTask({ name: 'inner', run: () => undefined });
    const outer = defineTask({
      name: 'outer',
      run: async () => {
        await longshore.enqueue(inner, undefined);
        await longshore.flows.start(dag7, null);
      },
    });
    await longshore.enqueue(outer, undefined, { meta: { correlationId: 'request-9' } });
    const { id } = await longshore.enqueue(outer, undefined);
    await longshore.enqueue(inner, undefined);
    const worker = longshore.worker({ tasks: [outer, inner, ...tasks] });
    await worker.runUntilIdle();
    for (const [asked, kind] of [
      ['request-9', 'correlation'],
      [id, 'job'],
    ] as const) {
      const trace = (await longshore.trace(asked)) as Trace;
      assert.deepEqual([trace.kind, trace.correlationId, trace.more], [kind, asked, false]);
      assert.deepEqual([trace.jobs.length, trace.runs.length], [9, 1]);
      assert.deepEqual(
        trace.jobs
          .map(({ task }) => task)
          .sort()
          .slice(0, 2),
        ['inner', 'outer'],
      );
      assert.equal(trace.jobs.find(({ id: job }) => job === trace.sum.path[0])?.task, 'outer');
      requireSum(trace);
    }
  },
  PLAN_KINDS,
);

onEachStore(
  'by the id of a job that is a step, its own time is told, and not that of its run',
  async ({ connect }) => {
    const longshore = await connect();
    const run = await longshore.flows.start(dag7, null, { meta: { correlationId: 'request-10' } });
    await longshore.worker({ tasks }).runUntilIdle();
    const whole = (await longshore.trace(run.id)) as Trace;
    for (const { id, createdAt, finishedAt } of whole.jobs) {
      const trace = (await longshore.trace(id)) as Trace;
      assert.deepEqual([trace.kind, trace.jobs.length, trace.sum.path], ['job', 1, [id]]);
      assert.deepEqual([trace.startedAt, trace.endedAt], [createdAt, finishedAt]);
      assert.deepEqual([trace.sum.phases.enqueue ?? 0, trace.sum.phases.end ?? 0], [0, 0]);
      assert.notEqual(trace.jobs[0]?.phases[0]?.name, 'enqueue');
      assert.equal(trace.runs[0]?.id, run.id);
      requireSum(trace);
    }
  },
);

onEachStore(
  'a job that has not ended is told up to now by the clock of the store',
  async ({ connectThrough, kind }) => {
    const isServer = kind === 'postgres' || kind === 'redis';
    const clock = new FakeClock(isServer ? Date.UTC(2100, 0, 1) : undefined);
    let store: Store | undefined;
    const longshore = await connectThrough(
      (opened) => {
        store = opened;
        return {};
      },
      { clock },
    );
    const { id } = await longshore.enqueue('later', null);
    const now = async (): Promise<number> =>
      (await store?.duePlans({ keys: ['none'], limit: 1 }))?.now ?? Number.NaN;
    const before = await now();
    const { startedAt, totalMs, endedAt } = (await longshore.trace(id)) as Trace;
    const until = startedAt + totalMs;
    assert.ok(endedAt === null && until >= before && until <= (await now()), `${before} ${until}`);
  },
);

/** Counts what it decodes. */
class CountingCodec extends PayloadCodec {
  readonly decoded: string[] = [];

  override decode(text: string | null, place: PayloadPlace, what: string): unknown {
    this.decoded.push(place.role);
    return super.decode(text, place, what);
  }
}

onEachStore(
  'a trace of many jobs reads few at a time, and decodes no line of a handler',
  async ({ connectThrough }) => {
    const readings = { underWay: 0, most: 0, count: 0 };
    const opened = Promise.withResolvers<Store>();
    const longshore = await connectThrough((store) => {
      opened.resolve(store);
      return {};
    });
    const store = await opened.promise;
    const talk = defineTask({ name: 'talk', run: ({ log }) => log('a line', { of: 'mine' }) });
    const meta = { correlationId: 'request-11' };
    await longshore.enqueueMany(talk, Array.from({ length: 50 }), () => ({ meta }));
    await longshore.worker({ tasks: [talk] }).runUntilIdle();
    const counted = overlay(store, {
      async trail(id) {
        readings.count += 1;
        readings.underWay += 1;
        readings.most = Math.max(readings.most, readings.underWay);
        const trail = await store.trail(id);
        readings.underWay -= 1;
        return trail;
      },
    });
    const codec = new CountingCodec(1_000, noKeys);
    const { definitions } = longshore.flows;
    const trace = await traceOf('request-11', { store: counted, codec, clock: systemClock, definitions });
    assert.ok(trace?.jobs.every(({ attempts }) => attempts.length === 1));
    assert.deepEqual([readings.count, codec.decoded.length], [50, 50]);
    assert.ok(readings.most <= 20, `${readings.most} at a time`);
  },
);
