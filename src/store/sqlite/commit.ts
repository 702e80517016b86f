import type { PlanChange, Unit, UnitReceipt } from '../plans.ts';
import type { SettleReceipt } from '../store.ts';
import { enqueueEach } from './enqueue.ts';
import { tell } from './reports.ts';
import { type Tx, wholeMs } from './rows.ts';
import { isLeased, settle } from './settle.ts';

/**
 * Units, each whole or not at all (store/plans.ts). What a unit depends on is looked at before anything of it is written, so
 * that nothing has to be undone.
 */
export function commit(tx: Tx, units: readonly Unit[]): UnitReceipt[] {
  return units.map((unit) => commitOne(tx, unit));
}

const NOTHING = { enqueued: [], reported: [] } as const;

function commitOne(
  tx: Tx,
  { settle: settlement, enqueue: specs = [], plans = [], reports = [] }: Unit,
): UnitReceipt {
  if (settlement !== undefined && !isLeased(tx, settlement))
    return { status: 'lost', settled: { status: 'lost' }, ...NOTHING };
  if (!plans.every((change) => isAt(tx, change))) return { status: 'conflict', ...NOTHING };
  const settled = settlement === undefined ? {} : { settled: settle(tx, [settlement])[0] as SettleReceipt };
  for (const change of plans) write(tx, change);
  const reported = reports.map((report) => tell(tx, report));
  return { status: 'committed', ...settled, enqueued: enqueueEach(tx, specs), reported };
}

function isAt(tx: Tx, { key, version }: PlanChange): boolean {
  const found = tx.db.get<{ version: number }>('SELECT version FROM plan WHERE key = ?', key);
  return (found?.version ?? 0) === version;
}

function write(tx: Tx, change: PlanChange): void {
  const { key, value, taken = [], keep = [], expiresAt } = change;
  if (value === null) {
    remove(tx, key);
    return;
  }
  if (change.version === 0) insert(tx, change, value);
  else update(tx, change, value);
  if (taken.length > 0)
    tx.db.run('DELETE FROM report WHERE no IN (SELECT value FROM json_each(?))', JSON.stringify(taken));
  for (const { name, text } of keep) {
    if (text === null) tx.db.run('DELETE FROM plan_text WHERE plan = ? AND name = ?', key, name);
    else tx.db.run('INSERT OR REPLACE INTO plan_text (plan, name, text) VALUES (?, ?, ?)', key, name, text);
  }
  tx.topics.add('plan');
  if (expiresAt !== null) tx.topics.add('planEnded');
}

function insert(tx: Tx, { key, kind, label, state, wakeAt, expiresAt }: PlanChange, value: string): void {
  tx.db.run(
    `INSERT INTO plan (key, kind, label, state, version, value, wake_at, expires_at, created_at, updated_at)
     VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?)`,
    key,
    kind,
    label,
    state,
    value,
    wakeAt === null ? null : wholeMs(wakeAt),
    expiresAt === null ? null : wholeMs(expiresAt),
    tx.now,
    tx.now,
  );
}

function update(tx: Tx, { key, kind, label, state, wakeAt, expiresAt }: PlanChange, value: string): void {
  tx.db.run(
    `UPDATE plan SET kind = ?, label = ?, state = ?, version = version + 1, value = ?, wake_at = ?, expires_at = ?,
       updated_at = ? WHERE key = ?`,
    kind,
    label,
    state,
    value,
    wakeAt === null ? null : wholeMs(wakeAt),
    expiresAt === null ? null : wholeMs(expiresAt),
    tx.now,
    key,
  );
}

function remove(tx: Tx, key: string): void {
  tx.db.run('DELETE FROM plan WHERE key = ?', key);
  tx.db.run('DELETE FROM plan_text WHERE plan = ?', key);
  tx.db.run('DELETE FROM report WHERE plan = ?', key);
}

/** Of one prune, so that nobody waits for it for long. */
const PRUNED_MAX = 1_000;

export const EXPIRED_PLANS = 'FROM plan WHERE expires_at <= ?';

/** Deletes plans whose time is over. */
export function prunePlans(tx: Tx): void {
  const over = tx.db.all<{ key: string }>(`SELECT key ${EXPIRED_PLANS} LIMIT +?`, tx.now, PRUNED_MAX);
  for (const { key } of over) remove(tx, key);
}
