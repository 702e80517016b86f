import { LongshoreError, optionInvalid, requireName } from '../core/errors.ts';
import type { Action } from '../core/schedule/actions.ts';
import type { ScheduleValue } from '../core/schedule/data.ts';
import { type PutMeans, type PutStatus, putSchedules } from './definition.ts';
import { SCHEDULE_KIND, scheduleKey } from './schedule-rule.ts';
import { requireScheduleName, type ScheduleSpec } from './spec.ts';

/** What `upsertAll` did, by the names of schedules. */
export interface UpsertReport {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  /** The owner's code does not define them any more: they tick no longer. */
  readonly orphaned: readonly string[];
}

/** Schedules from code: Schedules.upsertAll. */
export async function upsertSchedules(
  owner: string,
  schedules: Readonly<Record<string, ScheduleSpec>>,
  means: PutMeans,
): Promise<UpsertReport> {
  requireName('schedulesOwner', owner);
  if (typeof schedules !== 'object' || schedules === null || Array.isArray(schedules))
    throw optionInvalid('schedules', schedules, 'an object of schedules by their names');
  const wanted = Object.entries(schedules).map(([name, spec]) => ({ name: requireScheduleName(name), spec }));
  const done = await putSchedules(wanted, { owner, by: owner }, means);
  const named = (status: PutStatus): string[] =>
    [...done].flatMap(([name, is]) => (is === status ? [name] : []));
  return {
    created: named('created'),
    changed: named('changed'),
    unchanged: named('unchanged'),
    orphaned: await disableOthers(owner, new Set(done.keys()), means),
  };
}

/** The owner's schedules that are not among `kept`. */
async function disableOthers(owner: string, kept: ReadonlySet<string>, means: PutMeans): Promise<string[]> {
  const orphaned: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await means.store.listPlans({
      kind: SCHEDULE_KIND,
      limit: 500,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const plan of page.plans) {
      const value = JSON.parse(plan.value) as ScheduleValue;
      if (value.owner !== owner || kept.has(value.name)) continue;
      if (value.orphanedAt === null) await disable(value.name, means);
      orphaned.push(value.name);
    }
    cursor = page.cursor;
  }
  return orphaned;
}

async function disable(name: string, { planner, rule }: PutMeans): Promise<void> {
  try {
    await planner.act(rule, scheduleKey(name), { type: 'orphan' } satisfies Action);
  } catch (error) {
    // Removed meanwhile.
    if (!(error instanceof LongshoreError && error.code === 'SCHEDULE_UNKNOWN')) throw error;
  }
}
