import type { FlowData } from '../core/flow/data.ts';
import { SCHEDULE_KIND } from '../core/schedule/kind.ts';
import type { PlanRecord } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import { changeOf, DEFINITION_KIND, RECHECK_MS, RETIRING, STORED, versionIn } from './definitions.ts';
import { RUN_KIND } from './run-plan.ts';

/**
 * Deletes definitions of flows that nothing uses: no run that is kept, no schedule, no other definition. The newest of each
 * flow stays, so a store with one version of each is never searched through.
 *
 * A process may start a run of an old version at any time. So a definition is marked first, and deleted at the earliest
 * MARKED_MS later; whoever starts runs looks at least every RECHECK_MS whether its definitions are marked, and takes the mark
 * away (definitions.ts).
 */
export const MARKED_MS = 2 * RECHECK_MS;
/** A deploy has settled by then. */
export const AGE_MIN_MS = 86_400_000;
const PAGE = 200;

export interface Pruned {
  readonly deleted: number;
  /** Marked, to be deleted later. */
  readonly marked: number;
}

/** `now`: ms since the epoch. */
export async function pruneDefinitions(store: Store, now: number): Promise<Pruned> {
  const definitions = await all(store, DEFINITION_KIND);
  const candidates = outdated(definitions, now);
  if (candidates.length === 0) return { deleted: 0, marked: 0 };
  const used = await usedVersions(store, { definitions, candidates });
  let [deleted, marked] = [0, 0];
  for (const plan of candidates) {
    const isUsed = used.has(versionIn(plan.key));
    const isMarked = plan.state === RETIRING;
    if (isUsed && isMarked) await commit(store, plan, STORED);
    else if (!isUsed && !isMarked && (await commit(store, plan, RETIRING))) marked += 1;
    else if (!isUsed && isMarked && plan.updatedAt <= now - MARKED_MS && (await commit(store, plan, null)))
      deleted += 1;
  }
  return { deleted, marked };
}

/** All but the newest of each flow. */
function outdated(definitions: readonly PlanRecord[], now: number): PlanRecord[] {
  const newest = new Map<string, PlanRecord>();
  for (const plan of definitions) {
    const before = newest.get(plan.label);
    if (before === undefined || before.createdAt < plan.createdAt) newest.set(plan.label, plan);
  }
  return definitions.filter((plan) => newest.get(plan.label) !== plan && plan.createdAt <= now - AGE_MIN_MS);
}

interface Searched {
  readonly definitions: readonly PlanRecord[];
  readonly candidates: readonly PlanRecord[];
}

async function usedVersions(
  store: Store,
  { definitions, candidates }: Searched,
): Promise<ReadonlySet<string>> {
  const versions = candidates.map(({ key }) => versionIn(key));
  const used = new Set<string>();
  const note = ({ value }: PlanRecord): void => {
    // A digest of 128 bits stands in no value by chance.
    for (const version of versions) if (value.includes(version)) used.add(version);
  };
  // Steps that are runs name the version of their flow.
  for (const plan of definitions) for (const version of childrenOf(plan)) used.add(version);
  for (const plan of await all(store, SCHEDULE_KIND)) note(plan);
  for (const label of new Set(candidates.map((plan) => plan.label)))
    for await (const page of pages(store, RUN_KIND, label)) page.forEach(note);
  return used;
}

function childrenOf({ value }: PlanRecord): string[] {
  const { steps } = JSON.parse(value) as FlowData;
  return steps.flatMap((step) => (step.kind === 'flow' ? [step.version] : []));
}

async function all(store: Store, kind: string): Promise<PlanRecord[]> {
  const plans: PlanRecord[] = [];
  for await (const page of pages(store, kind)) plans.push(...page);
  return plans;
}

async function* pages(store: Store, kind: string, label?: string): AsyncGenerator<readonly PlanRecord[]> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store['listPlans']>> = await store.listPlans({
      kind,
      limit: PAGE,
      ...(label === undefined ? {} : { label }),
      ...(cursor === null ? {} : { cursor }),
    });
    yield page.plans;
    cursor = page.cursor;
  } while (cursor !== null);
}

/** Whether it was still as it was read. */
async function commit(store: Store, plan: PlanRecord, state: string | null): Promise<boolean> {
  const change = { ...changeOf(plan, state ?? plan.state), ...(state === null ? { value: null } : {}) };
  const [receipt] = await store.commit([{ plans: [change] }]);
  return receipt?.status === 'committed';
}
