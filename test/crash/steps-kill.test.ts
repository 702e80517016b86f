import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../src/index.ts';
import { temporaryFolder } from '../stage.ts';
import { Fleet } from './fleet.ts';
import { seeded } from './seeded.ts';

const SEED = Number(process.env.CRASH_SEED ?? 20_260_101);
const JOBS = 60;
const LEASE_MS = 2_000;

interface Effect {
  readonly attempt: number;
  readonly step: number;
}

test(`workers killed at random points between the steps of ${JOBS} jobs: each step is done, and none again once the next has begun (seed ${SEED})`, async (t) => {
  const random = seeded(SEED);
  const fleet = new Fleet(t);
  const folder = await temporaryFolder(t);
  const [url, file] = [`sqlite:${join(folder, 'jobs.db')}`, join(folder, 'effects')];
  const longshore = await connect(url);
  t.after(() => longshore.close());
  const settings = { leaseMs: LEASE_MS, crashesMax: 1_000, concurrency: 8, pollMs: 200 };
  let over = false;
  let killed = 0;

  /** Keeps one worker alive, and kills it after a random number of steps. */
  const besiege = (): void => {
    const member = fleet.start('steps', { url, file, settings });
    let left = 2 + Math.floor(random() * 40);
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
  const jobs = await longshore.enqueueMany(
    'stepwise',
    Array.from({ length: JOBS }, () => null),
  );
  const ended = Promise.all(jobs.map((job) => job.result()));
  // Before the wait, in it or after a crash in it.
  for (const { id } of jobs) await longshore.jobs.signal(id, 'signal', 'told');
  await fleet.until(() => killed >= 4);
  over = true;
  await fleet.ready(fleet.start('steps', { url, file, settings }));
  const results = await ended;

  assert.deepEqual(results, Array(JOBS).fill([0, 1, 2, 3, 'told', 4, 5]));
  const effects = effectsIn(readFileSync(file, 'utf8'));
  for (const { id } of jobs) {
    const done = effects.get(id) ?? [];
    assert.deepEqual([...new Set(done.map(({ step }) => step))].sort(), [0, 1, 2, 3, 4, 5]);
    for (const [index, { attempt, step }] of done.entries()) {
      // What an attempt does that lost its lease does not count: a newer one is under way.
      const before = done.slice(0, index).filter((earlier) => earlier.attempt <= attempt);
      assert.ok(
        before.every((earlier) => earlier.step <= step),
        `job ${id} ran step ${step} again: ${JSON.stringify(done)}`,
      );
    }
    assert.deepEqual((await longshore.jobs.get(id))?.steps, []);
  }
});

function effectsIn(text: string): Map<string, Effect[]> {
  const effects = new Map<string, Effect[]>();
  for (const line of text.trim().split('\n')) {
    const [id = '', attempt, step] = line.split(' ');
    effects.set(id, [...(effects.get(id) ?? []), { attempt: Number(attempt), step: Number(step) }]);
  }
  return effects;
}
