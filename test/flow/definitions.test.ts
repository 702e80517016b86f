/** Definitions of flows: kept while something uses them, deleted when nothing does. */
import assert from 'node:assert/strict';
import { AGE_MIN_MS, MARKED_MS, pruneDefinitions } from '../../src/flow/definition-prune.ts';
import { defineFlow, defineTask, type Longshore } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { onEachStore, type Stage } from '../stage.ts';

const echo = defineTask({ name: 'echo', run: () => null });
/** Versions of one flow: their steps differ. */
const version = (n: number) =>
  defineFlow({ name: 'f', keptMs: 0, steps: (s) => s.waitFor(`go${n}`, null, { signal: 'go' }) });
const [V1, V2, V3] = [version(1), version(2), version(3)];

interface Scene {
  readonly longshore: Longshore;
  readonly clock: FakeClock;
  readonly store: Store;
  prune(): Promise<{ deleted: number; marked: number }>;
  /** Of flow `f`, that are stored. */
  versions(): Promise<string[]>;
  other(): Promise<Longshore>;
}

async function sceneOf(stage: Stage): Promise<Scene> {
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  let store: Store | null = null;
  const longshore = await stage.connectThrough(
    (given) => {
      store = given;
      return {};
    },
    { clock },
  );
  const own = store as unknown as Store;
  return {
    longshore,
    clock,
    store: own,
    prune: () => pruneDefinitions(own, clock.now()),
    versions: async () => {
      const { plans } = await own.listPlans({ kind: 'flow', label: 'f', limit: 100 });
      return plans.map(({ key }) => key.slice('flow/'.length)).sort();
    },
    other: () => stage.connectThrough(() => ({}), { clock }),
  };
}

/** Starts a run of each, and lets all but the last end, so that retention has deleted them. */
async function runs({ longshore, clock, store }: Scene): Promise<void> {
  for (const flow of [V1, V2, V3]) {
    const run = await longshore.flows.start(flow, null);
    if (flow !== V3) await run.signal('go');
    await longshore.worker({ tasks: [echo] }).runUntilIdle();
    await clock.advance(1_000);
  }
  await store.prune();
}

onEachStore('a version that no run uses is marked, then deleted; the newest stays', async (stage) => {
  const scene = await sceneOf(stage);
  await runs(scene);
  assert.deepEqual(await scene.prune(), { deleted: 0, marked: 0 }, 'they are young');
  await scene.clock.advance(AGE_MIN_MS);
  assert.deepEqual(await scene.prune(), { deleted: 0, marked: 2 });
  assert.deepEqual(await scene.prune(), { deleted: 0, marked: 0 }, 'they are marked');
  assert.equal((await scene.versions()).length, 3);
  await scene.clock.advance(MARKED_MS);
  assert.deepEqual(await scene.prune(), { deleted: 2, marked: 0 });
  assert.deepEqual(await scene.versions(), [V3.version]);
  const [last] = (await scene.longshore.flows.list({ flow: 'f' })).runs;
  assert.equal((await scene.longshore.flows.get(last?.id ?? ''))?.state, 'waiting');
});

onEachStore('a run that is started takes the mark away, and stores again what was deleted', async (stage) => {
  const scene = await sceneOf(stage);
  await runs(scene);
  const { longshore, clock } = scene;
  await clock.advance(AGE_MIN_MS);
  await scene.prune();
  // This connection knew both versions, and looks again after so long.
  const first = await longshore.flows.start(V1, null, { id: 'first' });
  await clock.advance(MARKED_MS);
  assert.deepEqual(await scene.prune(), { deleted: 1, marked: 0 });
  assert.deepEqual(await scene.versions(), [V1.version, V3.version].sort());
  const again = await longshore.flows.start(V2, null, { id: 'again' });
  assert.deepEqual(await scene.versions(), [V1.version, V2.version, V3.version].sort());
  const other = stage.kind === 'memory' ? longshore : await scene.other();
  for (const run of [first, again]) {
    await other.flows.handle(version(1), run.id).signal('go');
    await other.worker({ tasks: [echo] }).runUntilIdle();
    assert.equal((await run.ended()).state, 'completed');
  }
});

onEachStore('versions of runs, of schedules and of steps that are runs are kept', async (stage) => {
  const scene = await sceneOf(stage);
  const { longshore, clock } = scene;
  const outer = defineFlow({ name: 'outer', steps: (s) => s.flow('inner', V1) });
  await longshore.flows.start(outer, null);
  await longshore.schedules.set('nightly', { cron: '0 3 * * *', flow: V2, input: null });
  for (const n of [4, 5]) {
    await longshore.flows.start(version(n), null, { id: `run-${n}` });
    await clock.advance(1_000);
  }
  for (let round = 0; round < 3; round += 1) {
    await clock.advance(AGE_MIN_MS);
    assert.deepEqual(await scene.prune(), { deleted: 0, marked: 0 });
  }
  assert.equal((await scene.versions()).length, 4);
});
