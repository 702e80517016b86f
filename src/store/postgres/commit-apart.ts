import type { Topic } from '../notifier.ts';
import type { Unit, UnitReceipt } from '../plans.ts';
import type { EnqueueReceipt, JobSpec } from '../store.ts';
import { haveOwnIds, WAY } from './enqueue.ts';
import { arrayOf, jsonOf } from './lists.ts';
import type { HotTx } from './verb.ts';

/**
 * Units that do not meet each other, as a planner's mostly are: a statement of each kind for all of them
 * (migrations/0025-commit-apart.sql) takes a quarter of the time of one unit after the other.
 */

/** Whether no unit changes what another one depends on, and no plan goes. */
export function areApart(units: readonly Unit[]): boolean {
  const keys = new Set<string>();
  const added = new Set<string>();
  for (const { plans = [] } of units)
    for (const { key, version, value } of plans) {
      if (value === null || keys.has(key)) return false;
      keys.add(key);
      if (version === 0) added.add(key);
    }
  return !units.some(({ reports = [] }) => reports.some(({ plan }) => added.has(plan)));
}

interface ApartRow {
  readonly lost: readonly number[];
  readonly others: readonly (EnqueueReceipt & { readonly place: number })[];
  readonly reported: readonly boolean[];
  readonly topics: string | null;
}

export async function commitApart(tx: HotTx, units: readonly Unit[]): Promise<UnitReceipt[]> {
  const lists = listsOf(units);
  const { specs } = lists;
  const way = haveOwnIds(specs) && specs.every(({ unique }) => unique === null) ? WAY.together : WAY.oneByOne;
  const [row] = await tx.query<ApartRow>(
    `SELECT lost, others, reported, topics FROM ${tx.schema}.commit_apart($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      jsonOf(lists.changes),
      arrayOf(lists.taken),
      arrayOf(lists.takers),
      lists.keep.length === 0 ? null : jsonOf(lists.keep),
      jsonOf(specs),
      arrayOf(lists.owners),
      way,
      lists.reports.length === 0 ? null : jsonOf(lists.reports),
      tx.given ?? null,
      tx.sender,
    ],
  );
  const { lost, others, reported, topics } = row as ApartRow;
  for (const topic of topics?.split(',') ?? []) tx.topics.add(topic as Topic);
  return receiptsOf(units, { lost: new Set(lost), others, reported });
}

/** What the units hold, by kind. */
function listsOf(units: readonly Unit[]) {
  const changes: object[] = [];
  const keep: object[] = [];
  const reports: object[] = [];
  const specs: JobSpec[] = [];
  const taken: number[] = [];
  const takers: number[] = [];
  const owners: number[] = [];
  for (const [index, { plans = [], enqueue = [], reports: told = [] }] of units.entries()) {
    const unit = index + 1;
    for (const { taken: nos = [], keep: texts = [], ...change } of plans) {
      changes.push({ unit, ...change });
      for (const no of nos) {
        taken.push(no);
        takers.push(unit);
      }
      for (const text of texts) keep.push({ unit, plan: change.key, ...text });
    }
    for (const spec of enqueue) {
      specs.push(spec);
      owners.push(unit);
    }
    for (const { error, ...report } of told)
      reports.push({ unit, ...report, error: error && JSON.stringify(error) });
  }
  return { changes, keep, reports, specs, taken, takers, owners };
}

function receiptsOf(
  units: readonly Unit[],
  { lost, others, reported }: Pick<ApartRow, 'others' | 'reported'> & { readonly lost: ReadonlySet<number> },
): UnitReceipt[] {
  const byPlace = new Map(others.map(({ place, status, id, state }) => [place, { status, id, state }]));
  let [jobs, told] = [0, 0];
  return units.map(({ enqueue = [], reports = [] }, index): UnitReceipt => {
    const [firstJob, firstReport] = [jobs, told];
    jobs += enqueue.length;
    told += reports.length;
    if (lost.has(index + 1)) return { status: 'conflict', enqueued: [], reported: [] };
    return {
      status: 'committed',
      enqueued: enqueue.map(
        ({ id }, at): EnqueueReceipt =>
          byPlace.get(firstJob + at + 1) ?? { status: 'created', id, state: 'ready' },
      ),
      reported: reported.slice(firstReport, told),
    };
  });
}
