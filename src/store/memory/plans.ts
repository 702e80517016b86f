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
  type Unit,
  type UnitReceipt,
} from '../plans.ts';
import { enqueue } from './enqueue.ts';
import type { PlanRow, Plans } from './plan-rows.ts';
import type { Rows } from './rows.ts';
import { leased, settleOne } from './settle.ts';

export function commit(rows: Rows, units: readonly Unit[], now: number): UnitReceipt[] {
  return units.map((unit) => commitOne(rows, unit, now));
}

const NOTHING = { enqueued: [], reported: [] } as const;

function commitOne(
  rows: Rows,
  { settle, enqueue: specs = [], plans = [], reports = [] }: Unit,
  now: number,
): UnitReceipt {
  if (settle !== undefined && leased(rows, settle.id, settle.token) === undefined)
    return { status: 'lost', settled: { status: 'lost' }, ...NOTHING };
  if (!plans.every((change) => rows.plans.fits(change))) return { status: 'conflict', ...NOTHING };
  const settled = settle === undefined ? {} : { settled: settleOne(rows, settle, now) };
  for (const change of plans) rows.plans.write(change, now);
  const reported = reports.map((report) =>
    rows.plans.report({ ...report, job: null, attempt: 0, startedAt: null, at: now }),
  );
  if (plans.length > 0 || reported.includes(true)) rows.topics.add('plan');
  if (plans.some(({ expiresAt }) => expiresAt !== null)) rows.topics.add('planEnded');
  return { status: 'committed', ...settled, enqueued: enqueue(rows, specs, now), reported };
}

export function duePlans(plans: Plans, request: DueRequest, now: number): DueReceipt {
  const { keys, limit, graceMs = 0 } = request;
  const rows =
    keys === undefined
      ? [...plans.byKey.values()]
          .filter((row) => isDue(row, now, graceMs))
          .sort((one, other) => dueSince(one) - dueSince(other))
      : keys.flatMap((key) => plans.byKey.get(key) ?? []);
  const room = { chars: REPORT_CHARS_MAX };
  const ahead = [...plans.byKey.values()].flatMap(({ wakeAt }) =>
    wakeAt !== null && wakeAt > now ? [wakeAt] : [],
  );
  return {
    now,
    plans: rows.slice(0, limit).map((row) => duePlan(row, room)),
    nextWakeAt: keys !== undefined || ahead.length === 0 ? null : Math.min(...ahead),
  };
}

function isDue({ wakeAt, reports }: PlanRow, now: number, graceMs: number): boolean {
  const [first] = reports;
  return (wakeAt !== null && wakeAt <= now) || (first !== undefined && first.at <= now - graceMs);
}

function dueSince({ wakeAt, reports }: PlanRow): number {
  return Math.min(wakeAt ?? Number.POSITIVE_INFINITY, reports[0]?.at ?? Number.POSITIVE_INFINITY);
}

function duePlan(row: PlanRow, room: { chars: number }): DuePlan {
  const reports: DuePlan['reports'][number][] = [];
  for (const report of row.reports) {
    if (reports.length === REPORTS_MAX) break;
    room.chars -= report.result?.length ?? 0;
    if (reports.length > 0 && room.chars < 0) break;
    reports.push(structuredClone(report));
  }
  return { ...recordOf(row, []), reports, more: reports.length < row.reports.length };
}

export function plan(plans: Plans, key: string, kept: readonly string[] | 'all'): PlanRecord | null {
  const row = plans.byKey.get(key);
  return row === undefined ? null : recordOf(row, kept);
}

export function listPlans(plans: Plans, filter: PlanFilter): PlanPage {
  const { kind, label, states, limit, cursor } = filter;
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw optionInvalid('cursor', cursor, 'the cursor of an earlier page');
  const below = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor);
  const rows = [...plans.byKey.values()]
    .filter((row) => row.seq < below && row.kind === kind && (label === undefined || row.label === label))
    .filter(({ state }) => states === undefined || states.includes(state))
    .sort((one, other) => other.seq - one.seq);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    plans: page.map((row) => recordOf(row, [])),
    cursor: rows.length > limit && last !== undefined ? String(last.seq) : null,
  };
}

function recordOf(
  { seq: _seq, reports: _reports, kept: texts, ...record }: PlanRow,
  kept: readonly string[] | 'all',
): PlanRecord {
  const names = kept === 'all' ? [...texts.keys()] : kept.filter((name) => texts.has(name));
  return { ...record, kept: Object.fromEntries(names.map((name) => [name, texts.get(name) as string])) };
}
