import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type AnyFlow, connect, type Longshore, LongshoreError, type RunHandle } from '../../src/index.ts';
import { PICKED_KINDS } from '../fresh-store.ts';
import { temporaryFolder } from '../stage.ts';
import { FailingServer, sceneOf } from './failing-server.ts';
import { Fleet } from './fleet.ts';
import { openEffects } from './programs/effects.ts';
import { FLOWS } from './programs/flows.ts';
import { seeded } from './seeded.ts';

/** The long form is `FLOW_RUNS=2000`. */
const LONG = Number(process.env.FLOW_RUNS ?? 0);
const SEED = Number(process.env.CRASH_SEED ?? 20_260_101);
const WORKERS = 3;
const SETTINGS = { leaseMs: 2_000, crashesMax: 1_000, concurrency: 8, pollMs: 200 };
/** Nothing dies any more after this share of the effects: what is left must come to its end by itself. */
const SHARE = 0.8;

/** How a kind of store is made, what else dies there beside workers, and how many runs the short form has. */
interface Siege {
  readonly runs: number;
  readonly url: string;
  readonly fleet: Fleet;
  /** How often. */
  readonly restarts: number;
  restart(): Promise<void>;
  connect(): Promise<Longshore>;
}

function onEach(title: string, body: (siege: Siege) => Promise<void>): void {
  for (const kind of ['sqlite', 'postgres', 'redis'] as const) {
    if (!PICKED_KINDS.includes(kind)) continue;
    const runs = LONG || (kind === 'sqlite' ? 60 : 24);
    const timeout = 90_000 + runs * 400;
    test(`${title}: ${runs} runs (${kind}, seed ${SEED})`, { timeout }, async (t) => {
      if (kind === 'sqlite') return body(await onFile(t, runs));
      const failing = await FailingServer.start(kind).catch((error: Error) => error);
      if (failing instanceof Error) {
        if (process.env.CI) throw failing;
        return t.skip(failing.message);
      }
      // It ends with this process.
      failing.server.unref();
      const scene = sceneOf(t, failing);
      const url = await scene.freshUrl();
      let turn = 0;
      await body({
        ...{ runs, url, fleet: scene.fleet, restarts: LONG > 0 ? 8 : 2 },
        async restart() {
          // By turns as a power cut and in order.
          if (turn++ % 2 === 0) await failing.server.kill();
          await failing.server.restart();
        },
        connect: () => scene.connect(url),
      });
    });
  }
}

async function onFile(t: TestContext, runs: number): Promise<Siege> {
  const fleet = new Fleet(t);
  const url = `sqlite:${join(await temporaryFolder(t), 'jobs.db')}`;
  return {
    ...{ runs, url, fleet, restarts: 0 },
    restart: async () => undefined,
    async connect() {
      const longshore = await connect(url);
      t.after(() => longshore.close());
      return longshore;
    },
  };
}

onEach('workers and servers killed at random points end no run otherwise', async (siege) => {
  const { runs, url, fleet, restarts } = siege;
  const random = seeded(SEED);
  const longshore = await siege.connect();
  const effects = await openEffects(url);
  const shapes = Array.from(
    { length: runs },
    (_, run) => FLOWS[run % FLOWS.length] as (typeof FLOWS)[number],
  );
  const expected = shapes.reduce((sum, [, , count]) => sum + count, 0);
  let over = false;
  let [killed, ended] = [0, 0];

  /** Keeps one worker alive, and kills it after a random number of things it said: so few that three die before all is done. */
  const besiege = (): void => {
    const member = fleet.start('carry', { url, settings: SETTINGS });
    let left = 2 + Math.floor(random() * (LONG > 0 ? 600 : 30));
    fleet.onSaid(async (from) => {
      if (from !== member || over || --left !== 0) return;
      await delay(random() * 5);
      member.kill();
      killed += 1;
    });
    void member.exited.then(() => {
      if (!over) besiege();
    });
  };
  fleet.onSaid((_, said) => {
    if (said.say === 'ended') ended += 1;
  });
  for (let workers = 0; workers < WORKERS; workers += 1) besiege();
  const handles: RunHandle[] = [];
  const started = (async () => {
    for (const [run, [flow]] of shapes.entries()) handles.push(await insist(longshore, flow, `run-${run}`));
  })();
  for (let restart = 1; restart <= restarts; restart += 1) {
    const until = (expected * SHARE * restart) / (restarts + 1);
    await fleet.until(() => ended >= until);
    await siege.restart();
  }
  await fleet.until(() => ended >= expected * SHARE && killed >= 3);
  over = true;
  await fleet.ready(fleet.start('carry', { url, settings: SETTINGS }));
  await started;
  const results = await Promise.all(handles.map((handle) => handle.result()));

  assert.deepEqual(
    results,
    shapes.map(([, result]) => result),
  );
  const state = ['running', 'waiting', 'blocked', 'failed', 'cancelled'] as const;
  assert.deepEqual((await longshore.flows.list({ state })).runs, []);
  const counts = await effects.counts();
  if (effects.once) assert.ok([...counts.values()].every((times) => times === 1));
  await assertEffects(counts, expected, longshore);
  await effects.close();
});

/** A start whose answer was lost is made again: the run's id says that it is the same. */
async function insist(longshore: Longshore, flow: AnyFlow, id: string): Promise<RunHandle> {
  for (;;) {
    try {
      return await longshore.flows.start(flow, null, { id });
    } catch (error) {
      if (!(error instanceof LongshoreError && error.retryable)) throw error;
      await delay(20);
    }
  }
}

/** Each step has had its effect at least once, no step under two ids, and the store says that each completed. */
async function assertEffects(
  counts: ReadonlyMap<string, number>,
  expected: number,
  longshore: Longshore,
): Promise<void> {
  assert.equal(counts.size, expected);
  const states = new Map<string, number>();
  for (const id of counts.keys()) {
    const job = await longshore.jobs.get(id);
    states.set(job?.state ?? 'gone', (states.get(job?.state ?? 'gone') ?? 0) + 1);
  }
  assert.deepEqual([...states], [['completed', expected]]);
}
