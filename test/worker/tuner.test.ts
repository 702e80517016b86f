import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { FakeClock, FakeSensor } from '../../src/testing/index.ts';
import { eventually, Gate, onEachStore, record } from '../stage.ts';

const TUNER = { targetCpu: 0.9, targetMemory: 0.8, slotsMin: 2, slotsMax: 64, rampMs: 10 };

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

onEachStore(
  'slots follow the load: more while the processor is idle, none closed under a job, fewer after it',
  async ({ connect }) => {
    const [clock, sensor, gate] = [new FakeClock(), new FakeSensor({ cpu: 0.1 }), new Gate()];
    const longshore = await connect({ clock, sensor });
    const adjusted = record(longshore, 'tuner.adjusted');
    const task = defineTask({ name: 'held', run: () => gate.wait() });
    await longshore.enqueueMany(task, numbers(40));
    const worker = longshore.worker({ tasks: [task], tuner: TUNER, leaseMs: 600_000, graceMs: 60_000 });
    assert.deepEqual(worker.slots, { total: 2, used: 0 });
    await worker.start();
    await eventually(() => worker.running === 2);
    const reaches = async (running: number): Promise<void> =>
      eventually(async () => {
        await clock.advance(100);
        return worker.running >= running;
      });
    await reaches(8);
    assert.deepEqual(adjusted[0]?.event.reason, 'cpuBelowTarget');
    sensor.memory = 0.9;
    await eventually(async () => {
      await clock.advance(100);
      return adjusted.at(-1)?.event.reason === 'memoryOverTarget';
    });
    const { total, used } = worker.slots;
    assert.ok(total < used && worker.running === used, `${used} of ${total} used, ${worker.running} running`);
    await longshore.enqueueMany(task, numbers(10));
    await clock.advance(1_000);
    assert.equal(worker.running, used);
    const [queue] = await longshore.queues.list();
    assert.equal(queue?.counts.running, used, 'nothing is claimed that cannot start');
    sensor.memory = 0.1;
    gate.open();
    await eventually(async () => {
      await clock.advance(100);
      return worker.tally.completed === 50;
    });
    assert.equal(worker.slots.used, 0);
  },
  ['memory', 'sqlite'],
);

onEachStore(
  'two workers of a process share its slots, and neither starves',
  async ({ connect }) => {
    const longshore = await connect({ sensor: new FakeSensor({ cpu: 1 }) });
    let most = 0;
    const tasks = ['one', 'two'].map((name) =>
      defineTask({
        name,
        queue: name,
        run: async () => {
          most = Math.max(
            most,
            workers.reduce((sum, { slots }) => sum + slots.used, 0),
          );
          await new Promise((resolve) => setImmediate(resolve));
        },
      }),
    );
    const workers = tasks.map((task) => longshore.worker({ tasks: [task], tuner: TUNER }));
    for (const task of tasks) await longshore.enqueueMany(task, numbers(300));
    await Promise.all(workers.map((worker) => worker.start()));
    await eventually(() => workers.every(({ tally }) => tally.completed === 300));
    assert.equal(most, TUNER.slotsMin);
  },
  ['memory', 'sqlite'],
);

onEachStore(
  'a worker whose targets differ from those in force does not start, and leaves nothing behind',
  async ({ connect }) => {
    const longshore = await connect({ sensor: new FakeSensor() });
    const task = defineTask({ name: 'any', run: () => undefined });
    const worker = longshore.worker({ tasks: [task], tuner: TUNER });
    const other = longshore.worker({ tasks: [task], tuner: { ...TUNER, targetCpu: 0.5 } });
    await worker.start();
    await assert.rejects(other.start(), { code: 'OPTION_INVALID' });
    assert.equal((await longshore.workers()).length, 1);
    await worker.stop();
    await other.start();
    assert.equal(other.isProcessing, true);
  },
  ['memory'],
);

onEachStore(
  'the registry tells how many slots there are as they change',
  async ({ connect }) => {
    const [clock, sensor, gate] = [new FakeClock(), new FakeSensor({ cpu: 0.1 }), new Gate()];
    const longshore = await connect({ clock, sensor });
    const task = defineTask({ name: 'held', run: () => gate.wait() });
    await longshore.enqueueMany(task, numbers(40));
    const worker = longshore.worker({ tasks: [task], tuner: TUNER, leaseMs: 30_000, graceMs: 60_000 });
    await worker.start();
    await eventually(async () => {
      await clock.advance(1_000);
      const [record] = await longshore.workers();
      return record !== undefined && record.slots >= 16 && record.slotsUsed >= 8;
    });
    gate.open();
    await eventually(() => worker.running === 0);
  },
  ['memory'],
);
