import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { temporaryFolder } from '../stage.ts';
import { Fleet, type Member } from './fleet.ts';
import { seeded } from './seeded.ts';

const SEED = Number(process.env.CRASH_SEED ?? 20_260_101);
const WORKERS = 10;
const KILLS = 12;
const SECOND_MS = 1_000;

test(`of ten worker processes one is killed at each tick of a schedule: each tick comes once (seed ${SEED})`, async (t) => {
  const random = seeded(SEED);
  const fleet = new Fleet(t);
  const url = `sqlite:${join(await temporaryFolder(t), 'jobs.db')}`;
  const longshore = await connect(url);
  t.after(() => longshore.close());
  const order = { url, settings: { leaseMs: 3_000, crashesMax: 1_000 } };
  const alive = Array.from({ length: WORKERS }, () => fleet.start('work', order));
  await Promise.all(alive.map((member) => fleet.ready(member)));
  const spec = { cron: '* * * * * *', task: 'brief', input: 1, missed: 'all', missedMax: 1_000 } as const;
  await longshore.schedules.set('each-second', spec);

  let kills = 0;
  const starts = new Set<string>();
  fleet.onSaid((_from, said) => {
    if (said.say !== 'started' || starts.has(said.id) || kills === KILLS) return;
    starts.add(said.id);
    kills += 1;
    const [victim] = alive.splice(Math.floor(random() * alive.length), 1) as [Member];
    victim.kill();
    alive.push(fleet.start('work', order));
  });
  await fleet.until(() => kills === KILLS);
  await longshore.schedules.pause('each-second');
  const { jobs } = await longshore.jobs.list({ task: 'brief', limit: 1_000 });
  const ends = await Promise.all(jobs.map(({ id }) => longshore.jobs.handle(id).ended()));

  assert.ok(ends.every(({ state }) => state === 'completed'));
  const ticks = jobs.map(({ id }) => tickOf(id)).sort((one, other) => one - other);
  const first = ticks[0] as number;
  assert.ok(ticks.length >= KILLS);
  assert.deepEqual(
    ticks,
    ticks.map((_, index) => first + index * SECOND_MS),
  );
});

/** The id of a scheduled job begins with the time of its tick, as ids begin with times. */
function tickOf(id: string): number {
  return Number.parseInt(id.replace('-', '').slice(0, 12), 16);
}
