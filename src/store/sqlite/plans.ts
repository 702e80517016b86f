import { type AttemptError, optionInvalid } from '../../core/errors.ts';
import {
  type DuePlan,
  type DueReceipt,
  type DueRequest,
  type PlanFilter,
  type PlanPage,
  type PlanRecord,
  REPORT_CHARS_MAX,
  REPORTS_MAX,
  type Report,
} from '../plans.ts';
import type { Tx } from './rows.ts';

/** Looks at plans; commit.ts changes them. */

interface PlanRow {
  readonly seq: number;
  readonly key: string;
  readonly kind: string;
  readonly label: string;
  readonly state: string;
  readonly version: number;
  readonly value: string;
  readonly wake_at: number | null;
  readonly expires_at: number | null;
  readonly created_at: number;
  readonly updated_at: number;
}

export function plan(
  tx: Tx,
  { key, kept }: { readonly key: string; readonly kept: readonly string[] | 'all' },
): PlanRecord | null {
  const row = tx.db.get<PlanRow>('SELECT * FROM plan WHERE key = ?', key);
  if (row === undefined) return null;
  return recordOf(row, kept.length === 0 ? [] : textsOf(tx, key, kept));
}

function textsOf(tx: Tx, key: string, names: readonly string[] | 'all'): { name: string; text: string }[] {
  if (names === 'all') return tx.db.all('SELECT name, text FROM plan_text WHERE plan = ?', key);
  return tx.db.all(
    'SELECT name, text FROM plan_text WHERE plan = ? AND name IN (SELECT value FROM json_each(?))',
    key,
    JSON.stringify(names),
  );
}

/** By the first report that is old enough or the time to wake up, whichever was first. */
const DUE = `
  SELECT key FROM (
    SELECT key, wake_at AS since FROM plan WHERE wake_at <= ?
    UNION ALL
    SELECT plan AS key, min(at) AS since FROM report GROUP BY plan HAVING min(at) <= ?)
  GROUP BY key ORDER BY min(since), key LIMIT +?`;

export function duePlans(tx: Tx, { keys, limit, graceMs = 0 }: DueRequest): DueReceipt {
  const due =
    keys?.slice(0, limit) ??
    tx.db.all<{ key: string }>(DUE, tx.now, tx.now - Math.ceil(graceMs), limit).map(({ key }) => key);
  const rows = tx.db.all<PlanRow>(
    `SELECT plan.* FROM json_each(?) AS due CROSS JOIN plan ON plan.key = due.value ORDER BY due.key`,
    JSON.stringify(due),
  );
  const room = { chars: REPORT_CHARS_MAX };
  const plans = rows.map((row) => duePlan(tx, row, room));
  return { now: tx.now, plans, nextWakeAt: keys === undefined ? nextWakeAt(tx) : null };
}

function nextWakeAt(tx: Tx): number | null {
  return (
    tx.db.get<{ at: number | null }>('SELECT min(wake_at) AS at FROM plan WHERE wake_at > ?', tx.now)?.at ??
    null
  );
}

interface ReportRow {
  readonly no: number;
  readonly plan: string;
  readonly part: string;
  readonly job: string | null;
  readonly state: Report['state'];
  readonly result: string | null;
  readonly error: string | null;
  readonly attempt: number;
  readonly started_at: number | null;
  readonly at: number;
}

/** One more report than is given, to know whether there are more. */
function duePlan(tx: Tx, row: PlanRow, room: { chars: number }): DuePlan {
  const found = tx.db.all<ReportRow>(
    `SELECT * FROM report WHERE plan = ? ORDER BY no LIMIT +?`,
    row.key,
    REPORTS_MAX + 1,
  );
  const reports: Report[] = [];
  for (const { part, error, started_at: startedAt, ...report } of found) {
    if (reports.length === REPORTS_MAX) break;
    room.chars -= report.result?.length ?? 0;
    if (reports.length > 0 && room.chars < 0) break;
    reports.push({
      ...report,
      as: part,
      startedAt,
      error: error === null ? null : (JSON.parse(error) as AttemptError),
    });
  }
  return { ...recordOf(row, []), reports, more: reports.length < found.length };
}

export function listPlans(tx: Tx, { kind, label, states, limit, cursor }: PlanFilter): PlanPage {
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw optionInvalid('cursor', cursor, 'the cursor of an earlier page');
  const rows = tx.db.all<PlanRow>(
    `SELECT * FROM plan WHERE kind = ? AND seq < ?
       ${label === undefined ? '' : 'AND label = ?'}
       ${states === undefined ? '' : 'AND state IN (SELECT value FROM json_each(?))'}
     ORDER BY seq DESC LIMIT +?`,
    kind,
    cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor),
    ...(label === undefined ? [] : [label]),
    ...(states === undefined ? [] : [JSON.stringify(states)]),
    limit + 1,
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    plans: page.map((row) => recordOf(row, [])),
    cursor: rows.length > limit && last !== undefined ? String(last.seq) : null,
  };
}

function recordOf(
  row: PlanRow,
  texts: readonly { readonly name: string; readonly text: string }[],
): PlanRecord {
  const { key, kind, label, state, version, value } = row;
  return {
    key,
    kind,
    label,
    state,
    version,
    value,
    wakeAt: row.wake_at,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    kept: Object.fromEntries(texts.map(({ name, text }) => [name, text])),
  };
}
