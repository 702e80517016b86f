import { type AttemptError, optionInvalid } from '../../core/errors.ts';
import { JOB_STATES } from '../../core/job-state.ts';
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
  type ReportState,
} from '../plans.ts';
import { readId } from './record.ts';
import type { Session } from './session.ts';
import { Reader } from './wire.ts';

/** Looks at plans, whose bytes lua/_plans.lua describes; commit.ts changes them. */

/** By their number: ends of jobs as their states, and what no job's end makes. */
export const REPORT_STATES: readonly string[] = ['', ...JOB_STATES, 'told'];

export async function plan(
  { scripts }: Session,
  key: string,
  kept: readonly string[] | 'all',
): Promise<PlanRecord | null> {
  const args = kept === 'all' ? ['1'] : ['0', ...kept];
  const { values } = await scripts.run('plan', undefined, [key, ...args]);
  const [bytes, texts] = values as [Buffer, Buffer[]];
  if (bytes.length === 0) return null;
  const entries: [string, string][] = [];
  for (let at = 0; at < texts.length; at += 2) entries.push([String(texts[at]), String(texts[at + 1])]);
  return { ...readPlan(key, bytes).record, kept: Object.fromEntries(entries) };
}

type DueAnswer = readonly [key: Buffer, bytes: Buffer, reports: readonly Buffer[], more: number];

export async function duePlans(
  { scripts }: Session,
  { keys, limit, graceMs = 0 }: DueRequest,
  at: number | undefined,
): Promise<DueReceipt> {
  // Bytes are no fewer than characters, so the answer has no more of those than it may.
  const bounds = [limit, keys === undefined ? graceMs : '', REPORTS_MAX, REPORT_CHARS_MAX].map(String);
  const { now, values } = await scripts.run('due-plans', at, [...bounds, ...(keys ?? [])]);
  const [answers, next] = values as [DueAnswer[], Buffer];
  return { now, plans: answers.map(readDue), nextWakeAt: next.length === 0 ? null : Number(next) };
}

function readDue([key, bytes, reports, more]: DueAnswer): DuePlan {
  const plan = String(key);
  const { record } = readPlan(plan, bytes);
  return { ...record, reports: reports.map((one) => readReport(plan, one)), more: more === 1 };
}

/** A call of the script looks at a bounded number of plans; where few are wanted among many, it takes several. */
export async function listPlans(
  { scripts }: Session,
  { kind, label, states, limit, cursor }: PlanFilter,
): Promise<PlanPage> {
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw optionInvalid('cursor', cursor, 'the cursor of an earlier page');
  const wanted = [
    label === undefined ? '' : `=${label}`,
    ...(states === undefined ? [''] : ['1', ...states]),
  ];
  const found: { readonly seq: number; readonly record: PlanRecord }[] = [];
  let below = cursor ?? '';
  while (found.length <= limit && below !== END) {
    // One more than wanted tells whether there is another page.
    const args = [kind, below, String(limit + 1 - found.length), ...wanted];
    const { values } = await scripts.run('list-plans', undefined, args);
    const [next, plans] = values as [Buffer, [Buffer, Buffer][]];
    for (const [key, bytes] of plans) found.push(readPlan(String(key), bytes));
    below = String(next);
  }
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    plans: page.map(({ record }) => record),
    cursor: found.length > limit && last !== undefined ? String(last.seq) : null,
  };
}

const END = '-1';

function readPlan(key: string, bytes: Buffer): { readonly seq: number; readonly record: PlanRecord } {
  const read = new Reader(bytes);
  const [seq, version, createdAt, updatedAt] = [read.integer(6), read.integer(6), read.time(), read.time()];
  const [wakeAt, expiresAt] = [read.maybe(), read.maybe()];
  const [kind, label, state] = [read.text() ?? '', read.text() ?? '', read.text() ?? ''];
  const value = read.rest();
  const record = {
    key,
    kind,
    label,
    state,
    version,
    value,
    wakeAt,
    expiresAt,
    createdAt,
    updatedAt,
    kept: {},
  };
  return { seq, record };
}

function readReport(plan: string, bytes: Buffer): Report {
  const read = new Reader(bytes);
  const [no, at, state] = [read.integer(6), read.time(), REPORT_STATES[read.integer(1)] as ReportState];
  const [attempt, startedAt] = [read.integer(3), read.maybe()];
  const [as, job, result, error] = [read.text() ?? '', read.bytes(), read.text(), read.text()];
  return {
    no,
    plan,
    as,
    job: job === null ? null : readId(job),
    state,
    result,
    error: error === null ? null : (JSON.parse(error) as AttemptError),
    attempt,
    startedAt,
    at,
  };
}
