import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type RunHandle } from '../../src/index.ts';
import { temporaryFolder } from '../stage.ts';
import { Fleet } from './fleet.ts';
import { FLOWS } from './programs/flows.ts';
import { seeded } from './seeded.ts';

const SEED = Number(process.env.CRASH_SEED ?? 20_260_101);
/** The long form is `FLOW_RUNS=2000`. */
const RUNS = Number(process.env.FLOW_RUNS ?? 120);
const LEASE_MS = 2_000;

test(`workers killed at random points over ${RUNS} runs of every shape: each run ends with its result (seed ${SEED})`, async (t) => {
  const random = seeded(SEED);
  const fleet = new Fleet(t);
  const url = `sqlite:${join(await temporaryFolder(t), 'jobs.db')}`;
  const longshore = await connect(url);
  t.after(() => longshore.close());
  const settings = { leaseMs: LEASE_MS, crashesMax: 1_000, concurrency: 8, pollMs: 200 };
  let over = false;
  let killed = 0;

  /** Keeps one worker alive, and kills it after a random number of things it said. */
  const besiege = (): void => {
    const member = fleet.start('carry', { url, settings });
    let left = 2 + Math.floor(random() * 150);
    fleet.onSaid(async (from) => {
      if (from !== member || over || --left !== 0) return;
      await delay(random() * 5);
      member.kill();
      killed += 1;
      await member.exited;
      if (!over) besiege();
    });
  };
  for (let workers = 0; workers < 3; workers += 1) besiege();
  const runs: RunHandle[] = [];
  for (let number = 0; number < RUNS; number += 1) {
    const [flow] = FLOWS[number % FLOWS.length] as (typeof FLOWS)[number];
    runs.push(await longshore.flows.start(flow, null));
  }
  const ended = Promise.all(runs.map((run) => run.result()));
  await fleet.until(() => killed >= 5);
  // From here on nobody dies any more: everything must come to its end by itself.
  over = true;
  await fleet.ready(fleet.start('carry', { url, settings }));
  const results = await ended;

  assert.deepEqual(
    results,
    runs.map((_, number) => FLOWS[number % FLOWS.length]?.[1]),
  );
  const { runs: left } = await longshore.flows.list({
    state: ['running', 'waiting', 'blocked', 'failed', 'cancelled'],
  });
  assert.deepEqual(left, []);
  // Each step that ran is a job that completed: none was enqueued a second time under another id.
  const steps = new Set(fleet.all('ended').map(({ id }) => id));
  const jobs = await Promise.all([...steps].map((id) => longshore.jobs.get(id)));
  assert.ok(jobs.every((job) => job?.state === 'completed'));
  const perShape = FLOWS.map(
    (_, shape) => runs.filter((__, number) => number % FLOWS.length === shape).length,
  );
  const stepsOf = [2, 3, 25, 1, 1, 2];
  const expected = stepsOf.reduce((sum, each, shape) => sum + each * (perShape[shape] ?? 0), 0);
  assert.equal(steps.size, expected);
});
