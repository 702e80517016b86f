import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type JobView, type Longshore } from '../../src/index.ts';
import { temporaryFolder } from '../stage.ts';
import { Fleet, type Member } from './fleet.ts';
import { monotonicMs } from './programs/say.ts';

const SEED = Number(process.env.CRASH_SEED ?? 20_260_101);
const JOBS = 2_000;
const LEASE_MS = 3_000;

test(`processes killed at random points over ${JOBS} jobs lose none, settle none twice, and share no lease (seed ${SEED})`, async (t) => {
  const random = seeded(SEED);
  const fleet = new Fleet(t);
  const url = `sqlite:${join(await temporaryFolder(t), 'jobs.db')}`;
  const longshore = await connect(url);
  t.after(() => longshore.close());
  const settings = { leaseMs: LEASE_MS, crashesMax: 1_000, queues: ['default'], concurrency: 8 };
  const serial = { ...settings, queues: ['serial'], serial: true };
  let over = false;
  let acked = 0;
  fleet.onSaid((_from, said) => {
    if (said.say === 'acked') acked += said.ids.length;
  });

  /** Keeps one process of a kind alive, and kills it after a random number of things it said. */
  const besiege = (start: () => Member, wordsMax: number): void => {
    const member = start();
    let left = 1 + Math.floor(random() * wordsMax);
    fleet.onSaid(async (from) => {
      if (from !== member || over || --left !== 0) return;
      await delay(random() * 5);
      member.kill();
      await member.exited;
      if (!over) besiege(start, wordsMax);
    });
  };
  for (let workers = 0; workers < 3; workers += 1) besiege(() => fleet.start('work', { url, settings }), 500);
  besiege(() => fleet.start('work', { url, settings: serial }), 200);
  const enqueueRest = (): Member => fleet.start('enqueue', { url, jobs: Math.max(0, JOBS - acked) });
  besiege(enqueueRest, 120);
  await fleet.until(() => acked >= JOBS);
  // From here on nobody dies any more: everything must come to its end by itself.
  over = true;
  const survivors = [fleet.start('work', { url, settings }), fleet.start('work', { url, settings: serial })];
  await Promise.all(survivors.map((member) => fleet.ready(member)));
  const ids = new Set(fleet.all('acked').flatMap((said) => said.ids));
  await Promise.all([...ids].map((id) => longshore.jobs.handle(id).ended()));
  const jobs = await allJobs(longshore);

  assert.ok(ids.size >= JOBS);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  for (const id of ids) assert.equal(byId.get(id)?.state, 'completed', `the acknowledged job ${id}`);
  const settled = fleet.all('settled').map(({ id }) => id);
  assert.deepEqual(
    settled.filter((id, index) => settled.indexOf(id) !== index),
    [],
    'settled twice',
  );
  assert.deepEqual(overlaps(fleet), [], 'ran twice at the same time');
  assert.deepEqual(disorder(fleet, byId), [], 'first attempts out of order');
  const killed = new Set(
    fleet.log.map(({ from }) => from).filter((member) => member.killedAt < monotonicMs()),
  );
  assert.ok(killed.size >= 5, `only ${killed.size} processes were killed`);
});

/** Attempts that began while another of the same job was certainly running under a live lease. */
function overlaps(fleet: Fleet): string[] {
  const lost = new Set(fleet.all('lost').map(({ id, attempt }) => `${id}/${attempt}`));
  const ends = new Map(fleet.all('ended').map(({ id, attempt, at }) => [`${id}/${attempt}`, at]));
  const found: string[] = [];
  const runs = Map.groupBy(fleet.all('started'), ({ id }) => id);
  for (const [id, starts] of runs) {
    for (const first of starts) {
      const key = `${id}/${first.attempt}`;
      const until = Math.min(ends.get(key) ?? Number.POSITIVE_INFINITY, first.from.killedAt);
      const inside = starts.filter((other) => other !== first && other.at > first.at && other.at < until);
      if (inside.length > 0 && !lost.has(key)) found.push(key);
    }
  }
  return found;
}

/** The serial queue's first attempts, each process by itself, against the order of enqueueing. */
function disorder(fleet: Fleet, jobs: ReadonlyMap<string, JobView>): string[] {
  const last = new Map<Member, number>();
  const found: string[] = [];
  for (const { id, attempt, from } of fleet.all('started')) {
    const job = jobs.get(id);
    if (attempt !== 1 || job?.queue !== 'serial') continue;
    if (job.seq < (last.get(from) ?? 0)) found.push(id);
    last.set(from, job.seq);
  }
  return found;
}

async function allJobs(longshore: Longshore): Promise<JobView[]> {
  const jobs: JobView[] = [];
  let cursor: string | null = null;
  do {
    const page: { jobs: JobView[]; cursor: string | null } = await longshore.jobs.list({
      limit: 1_000,
      ...(cursor === null ? {} : { cursor }),
    });
    jobs.push(...page.jobs);
    cursor = page.cursor;
  } while (cursor !== null);
  return jobs;
}

/** mulberry32: 32 bits of state are plenty for choosing when to kill. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
