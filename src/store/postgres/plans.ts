import { optionInvalid } from '../../core/errors.ts';
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
import type { HotTx } from './verb.ts';

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

interface PlanInput {
  readonly key: string;
  readonly kept: readonly string[] | 'all';
}

/** PostgreSQL keeps no text with a NUL, and refuses to look for one. */
function canBe(key: string): boolean {
  return !key.includes('\0');
}

/** Takes one statement. */
export function isOneText({ kept }: PlanInput): boolean {
  return kept.length === 0;
}

export async function plan(tx: Tx, { key, kept }: PlanInput): Promise<PlanRecord | null> {
  if (!canBe(key)) return null;
  const [row] = await tx.query<PlanRow>(`SELECT * FROM ${tx.schema}.plan WHERE key = $1`, [key]);
  if (row === undefined) return null;
  return recordOf(row, kept.length === 0 ? [] : await textsOf(tx, { key, kept }));
}

interface TextRow {
  readonly name: string;
  readonly content: string;
}

function textsOf(tx: Tx, { key, kept }: PlanInput): Promise<TextRow[]> {
  return tx.query(
    `SELECT name, content FROM ${tx.schema}.plan_text WHERE plan = $1 AND ($2::text[] IS NULL OR name = ANY ($2))`,
    [key, kept === 'all' ? null : kept],
  );
}

interface DueRow extends PlanRow {
  readonly now: number;
  /** JSON of ReportRow, one more than is given, to know whether there are more. */
  readonly reports: readonly ReportRow[] | null;
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

export async function duePlans(tx: HotTx, request: DueRequest): Promise<DueReceipt> {
  const { keys, limit, graceMs = 0 } = request;
  if (keys !== undefined)
    return { ...(await readDue(tx, keys.filter(canBe).slice(0, limit))), nextWakeAt: null };
  const due = await tx.query<{ key: string }>(`SELECT key FROM ${tx.schema}.due_plans($1, $2, $3)`, [
    limit,
    Math.ceil(graceMs),
    tx.now,
  ]);
  const keysDue = due.map(({ key }) => key);
  const { plans } = keysDue.length === 0 ? { plans: [] } : await readDue(tx, keysDue);
  return { now: tx.now, plans, nextWakeAt: await nextWakeAt(tx) };
}

/** Takes one statement: who planned a step's end asks for that plan. */
export function isOneLook({ keys }: DueRequest): boolean {
  return keys !== undefined;
}

/** Results beyond the bound are left out in the database, and never cross. The time comes with the plans, or alone. */
async function readDue(tx: HotTx, keys: readonly string[]): Promise<Pick<DueReceipt, 'now' | 'plans'>> {
  const rows = await tx.query<DueRow>(
    `SELECT clock.now, plan.*, (
       SELECT json_agg(report ORDER BY no) FROM (
         SELECT report.*, sum(coalesce(length(result), 0)) OVER (ORDER BY no) - coalesce(length(result), 0) AS before
         FROM ${tx.schema}.report WHERE report.plan = plan.key ORDER BY no LIMIT $2) AS report
       WHERE report.before <= $3) AS reports,
       (SELECT count(*) FROM (SELECT FROM ${tx.schema}.report WHERE report.plan = plan.key LIMIT $2) AS few) AS there
     FROM (SELECT coalesce($4::bigint, ${tx.schema}.now_ms()) AS now) AS clock
     LEFT JOIN (unnest($1::text[]) WITH ORDINALITY AS due (name, place) JOIN ${tx.schema}.plan ON plan.key = due.name) ON true
     ORDER BY due.place`,
    [keys, REPORTS_MAX + 1, REPORT_CHARS_MAX / 8, tx.given],
  );
  const [{ now }] = rows as [DueRow];
  return { now, plans: rows.filter(({ key }) => key !== null).map(duePlan) };
}

async function nextWakeAt(tx: Tx): Promise<number | null> {
  const [row] = await tx.query<{ at: number | null }>(
    `SELECT min(wake_at) AS at FROM ${tx.schema}.plan WHERE wake_at > $1`,
    [tx.now],
  );
  return row?.at ?? null;
}

function duePlan(row: DueRow & { readonly there?: number }): DuePlan {
  const found = row.reports ?? [];
  const reports = found.slice(0, REPORTS_MAX).map(reportOf);
  return { ...recordOf(row, []), reports, more: reports.length < (row.there ?? 0) };
}

function reportOf({ no, plan, part, job, state, result, error, attempt, at, ...row }: ReportRow): Report {
  return {
    no,
    plan,
    as: part,
    job,
    state,
    result,
    error: error === null ? null : JSON.parse(error),
    attempt,
    startedAt: row.started_at,
    at,
  };
}

export async function listPlans(
  tx: Tx,
  { kind, label, states, limit, cursor }: PlanFilter,
): Promise<PlanPage> {
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw optionInvalid('cursor', cursor, 'the cursor of an earlier page');
  const rows = await tx.query<PlanRow>(
    `SELECT * FROM ${tx.schema}.plan
     WHERE kind = $1 AND ($2::text IS NULL OR label = $2) AND ($3::text[] IS NULL OR state = ANY ($3))
       AND ($4::bigint IS NULL OR seq < $4)
     ORDER BY seq DESC LIMIT $5`,
    [kind, label ?? null, states ?? null, cursor === undefined ? null : Number(cursor), limit + 1],
  );
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    plans: page.map((row) => recordOf(row, [])),
    cursor: rows.length > limit && last !== undefined ? String(last.seq) : null,
  };
}

function recordOf(row: PlanRow, texts: readonly TextRow[]): PlanRecord {
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
    kept: Object.fromEntries(texts.map(({ name, content }) => [name, content])),
  };
}
