import assert from 'node:assert/strict';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { JobView, Longshore } from '../../src/index.ts';
import type { Fleet } from './fleet.ts';

/** What processes were told of their jobs, held against what the store says. */

export function acknowledged(fleet: Fleet): string[] {
  return fleet.all('acked').flatMap(({ ids }) => ids);
}

export function settled(fleet: Fleet): string[] {
  return fleet.all('settled').map(({ id }) => id);
}

/** Waits until no job is left to do, and holds what was acknowledged, run and settled against each other. */
export async function assertAllRan(fleet: Fleet, longshore: Longshore): Promise<void> {
  await idle(longshore);
  const jobs = new Map((await allJobs(longshore)).map((job) => [job.id, job]));
  const [queue] = await longshore.queues.list();
  assert.equal(queue?.counts.completed, jobs.size, 'the counts of the store');
  const lost = acknowledged(fleet).filter((id) => jobs.get(id)?.state !== 'completed');
  assert.deepEqual(lost, [], 'acknowledged and not completed');
  const ended = new Set(fleet.all('ended').map(({ id }) => id));
  const unrun = [...jobs.keys()].filter((id) => !ended.has(id));
  assert.deepEqual(unrun, [], 'completed without an effect');
  assertSettledOnce(fleet);
}

export function assertSettledOnce(fleet: Fleet): void {
  const ids = settled(fleet);
  const seen = new Set<string>();
  const twice = ids.filter((id) => seen.size === seen.add(id).size);
  assert.deepEqual(twice, [], 'settled twice');
}

/** For what no event tells, and where a fault would show as waiting without end. */
export async function eventually(holds: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `it did not come about within ${withinMs} ms`);
    await nextTurn();
  }
}

async function idle(longshore: Longshore): Promise<void> {
  for (;;) {
    const queues = await longshore.queues.list().catch(() => null);
    if (queues?.every(({ counts }) => counts.ready + counts.scheduled + counts.running === 0)) return;
    await delay(20);
  }
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
