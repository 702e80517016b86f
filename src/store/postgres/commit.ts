import type { Topic } from '../notifier.ts';
import type { Unit, UnitReceipt } from '../plans.ts';
import type { EnqueueReceipt, SettleReceipt } from '../store.ts';
import { areApart, commitApart } from './commit-apart.ts';
import { jsonOf } from './lists.ts';
import { settle } from './settle.ts';
import type { HotTx } from './verb.ts';

/**
 * Units, each whole or not at all (store/plans.ts). Those without an outcome are one call of a function of the database; one
 * with an outcome is looked at first, since what belongs to a lost one is left out.
 */
export async function commit(tx: HotTx, units: readonly Unit[]): Promise<UnitReceipt[]> {
  if (units.length === 0) return [];
  if (isSimpleCommit(units)) return commitAll(tx, units);
  const receipts: UnitReceipt[] = [];
  for (const unit of units) receipts.push(await commitOne(tx, unit));
  return receipts;
}

/** Takes one statement, which notifies by itself. */
export function isSimpleCommit(units: readonly Unit[]): boolean {
  return units.every(({ settle: settlement }) => settlement === undefined);
}

const NOTHING = { enqueued: [], reported: [] } as const;

async function commitOne(tx: HotTx, { settle: settlement, ...rest }: Unit): Promise<UnitReceipt> {
  if (settlement === undefined) return only(await commitAll(tx, [rest]));
  if (!(await fits(tx, rest))) return { status: 'conflict', ...NOTHING };
  const settled = (await settle(tx, [settlement]))[0] as SettleReceipt;
  if (settled.status === 'lost') return { status: 'lost', settled, ...NOTHING };
  return { ...only(await commitAll(tx, [rest])), settled };
}

function only(receipts: readonly UnitReceipt[]): UnitReceipt {
  return receipts[0] as UnitReceipt;
}

/** Locks the plans, so that what is true here stays so until the commit. */
async function fits(tx: HotTx, { plans = [] }: Unit): Promise<boolean> {
  if (plans.length === 0) return true;
  const rows = await tx.query<{ key: string; version: number }>(
    `SELECT key, version FROM ${tx.schema}.plan WHERE key = ANY ($1) ORDER BY key FOR UPDATE`,
    [plans.map(({ key }) => key)],
  );
  const versions = new Map(rows.map(({ key, version }) => [key, version]));
  return plans.every(({ key, version }) => (versions.get(key) ?? 0) === version);
}

interface CommitRow {
  /** From 1; 0 for the row whose `enqueued` has the topics. */
  readonly place: number;
  readonly committed: boolean;
  readonly enqueued: readonly (EnqueueReceipt & { readonly place: number })[];
  readonly reported: readonly boolean[] | null;
}

function commitAll(tx: HotTx, units: readonly Unit[]): Promise<UnitReceipt[]> {
  return areApart(units) ? commitApart(tx, units) : commitInTurn(tx, units);
}

async function commitInTurn(tx: HotTx, units: readonly Unit[]): Promise<UnitReceipt[]> {
  const bodies = units.map(({ plans = [], enqueue = [], reports = [] }) => ({
    plans,
    enqueue,
    reports: reports.map(({ error, ...report }) => ({ ...report, error: error && JSON.stringify(error) })),
  }));
  const rows = await tx.query<CommitRow>(
    `SELECT place, committed, enqueued, reported FROM ${tx.schema}.commit_units($1, $2, $3)`,
    [jsonOf(bodies), tx.given ?? null, tx.sender],
  );
  for (const { place, enqueued } of rows)
    if (place === 0) for (const topic of enqueued as unknown as Topic[]) tx.topics.add(topic);
  return units.map((unit, index) => receiptOf(unit, rows[index] as CommitRow));
}

function receiptOf({ enqueue = [] }: Unit, { committed, enqueued, reported }: CommitRow): UnitReceipt {
  if (!committed) return { status: 'conflict', ...NOTHING };
  const receipts = enqueue.map(({ id }): EnqueueReceipt => ({ status: 'created', id, state: 'ready' }));
  for (const { place, status, id, state } of enqueued) receipts[place - 1] = { status, id, state };
  return { status: 'committed', enqueued: receipts, reported: reported ?? [] };
}
