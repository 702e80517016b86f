/** The faults that need several workers, on the stores that several processes share. */
import assert from 'node:assert/strict';
import { defineTask, type Longshore } from '../../src/index.ts';
import { onEachStore, PLAN_KINDS, SHARED_KINDS, type Stage } from '../stage.ts';

const KINDS = PLAN_KINDS.filter((kind) => SHARED_KINDS.includes(kind));
const EVERY_MS = 50;

const tick = defineTask({ name: 'tick', run: () => undefined });

/** Times of ticks that were started, by whichever connection. */
function gather(connections: readonly Longshore[]) {
  const times: number[] = [];
  let wake: () => void = () => undefined;
  for (const longshore of connections)
    longshore.on('schedule.ticked', ({ scheduledAt }) => {
      times.push(scheduledAt);
      wake();
    });
  const reach = async (count: number): Promise<void> => {
    while (times.length < count)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };
  return { times, reach };
}

async function connections(stage: Stage, count: number): Promise<Longshore[]> {
  return Promise.all(Array.from({ length: count }, () => stage.connect()));
}

/** One after the other, none twice, none left out; and as many jobs. */
async function assertEachOnce(times: readonly number[], longshore: Longshore): Promise<void> {
  const sorted = [...times].sort((one, other) => one - other);
  const first = sorted[0] as number;
  assert.deepEqual(
    sorted,
    sorted.map((_, index) => first + index * EVERY_MS),
  );
  let jobs = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await longshore.jobs.list({ task: 'tick', limit: 1_000, ...(cursor && { cursor }) });
    jobs += page.jobs.length;
    cursor = page.cursor;
  }
  assert.equal(jobs, times.length);
}

onEachStore(
  '4. many replicas that upsert and start at a time make one schedule, and each tick once',
  async (stage) => {
    const replicas = await connections(stage, 5);
    const { times, reach } = gather(replicas);
    const schedules = { often: { everyMs: EVERY_MS, task: tick, missed: 'all', missedMax: 1_000 } } as const;
    const workers = replicas.map((longshore) => longshore.worker({ tasks: [tick], schedules }));
    await Promise.all(workers.map((worker) => worker.start()));
    await reach(30);
    const { schedules: found } = (await replicas[0]?.schedules.list()) ?? {};
    assert.deepEqual(
      found?.map(({ name, owner }) => [name, owner]),
      [['often', 'code']],
    );
    await Promise.all(workers.map((worker) => worker.stop()));
    await assertEachOnce(times, replicas[0] as Longshore);
  },
  KINDS,
);

onEachStore(
  '7. when the leader stops, and the next one, no tick is lost and none comes twice',
  async (stage) => {
    const replicas = await connections(stage, 3);
    const { times, reach } = gather(replicas);
    const [first] = replicas as [Longshore];
    await first.schedules.set('often', { everyMs: EVERY_MS, task: tick, missed: 'all', missedMax: 1_000 });
    const workers = replicas.map((longshore) => longshore.worker({ tasks: [tick] }));
    for (const [index, worker] of workers.entries()) {
      await worker.start();
      if (index > 0) await workers[index - 1]?.stop();
      await reach(times.length + 10);
    }
    await workers.at(-1)?.stop();
    await assertEachOnce(times, first);
  },
  KINDS,
);

onEachStore(
  '9. a queue full of jobs slows no tick, and all workers looking at once start one job',
  async (stage) => {
    const replicas = await connections(stage, 3);
    const { times } = gather(replicas);
    const [first] = replicas as [Longshore];
    await first.enqueueMany(defineTask({ name: 'other', run: () => undefined }), Array.from({ length: 500 }));
    await first.schedules.set('often', { everyMs: EVERY_MS, task: tick, missed: 'all', missedMax: 1_000 });
    while (times.length < 20) await Promise.all(replicas.map(({ flows }) => flows.planner.sweep(0)));
    await assertEachOnce(times, first);
  },
  KINDS,
);
