import type { NewReport, PlanChange, Unit, UnitReceipt } from '../plans.ts';
import type { SettleReceipt } from '../store.ts';
import { readReceipts, Shapes, type WrittenJobs, writeJobs } from './enqueue.ts';
import { REPORT_STATES } from './plans.ts';
import type { Session } from './session.ts';
import { writeSettlement } from './settle.ts';
import { stateOf } from './states.ts';
import { parseToken } from './token.ts';
import { Writer } from './wire.ts';

/**
 * Units, all of a call in one script, which applies each whole or not at all (lua/commit.lua). Never sent again by itself:
 * where the reply was lost, a second one would meet the first one's versions and call them a conflict.
 */
export async function commit(
  { scripts }: Session,
  units: readonly Unit[],
  now: number | undefined,
): Promise<UnitReceipt[]> {
  if (units.length === 0) return [];
  const shapes = new Shapes();
  const jobs = units.map(({ enqueue = [] }) => writeJobs(shapes, enqueue));
  const args = units.flatMap((unit, index) => [writeUnit(unit), (jobs[index] as WrittenJobs).bytes]);
  const { values } = await scripts.run('commit', now, [shapes.done(), ...args]);
  const [states, answers] = values as [Buffer, Answer[]];
  return units.map((unit, index) =>
    receiptOf(unit, answers[index] as Answer, (exceptions) =>
      readReceipts(jobs[index] as WrittenJobs, states, exceptions),
    ),
  );
}

type Answer = readonly [status: number, state: number, exceptions: Buffer, reported: Buffer];

const STATUSES: readonly UnitReceipt['status'][] = ['committed', 'lost', 'conflict'];

function receiptOf(
  { settle: settlement }: Unit,
  [number, state, exceptions, told]: Answer,
  enqueuedBy: (exceptions: Buffer) => UnitReceipt['enqueued'],
): UnitReceipt {
  const status = STATUSES[number] as UnitReceipt['status'];
  if (status === 'conflict') return { status, ...NOTHING };
  if (status === 'lost') return { status, settled: { status: 'lost' }, ...NOTHING };
  const settled: SettleReceipt = { status: 'settled', state: stateOf(state) };
  const reported = [...told].map((exists) => exists === 1);
  return {
    status,
    ...(settlement === undefined ? {} : { settled }),
    enqueued: enqueuedBy(exceptions),
    reported,
  };
}

const NOTHING = { enqueued: [], reported: [] } as const;

/** No lease has it, so that an outcome with a token of none is lost. */
const NO_TOKEN = { batch: 0, seq: 0, attempt: 0, attemptsMax: 0, crashes: 0 };

function writeUnit({ settle: settlement, plans = [], reports = [] }: Unit): Buffer {
  const bytes = new Writer();
  bytes.integer(settlement === undefined ? 0 : 1, 1);
  if (settlement !== undefined) writeSettlement(bytes, settlement, parseToken(settlement.token) ?? NO_TOKEN);
  bytes.integer(plans.length, 4);
  for (const change of plans) writeChange(bytes, change);
  bytes.integer(reports.length, 4);
  for (const report of reports) writeReport(bytes, report);
  return bytes.done();
}

function writeChange(bytes: Writer, change: PlanChange): void {
  const { key, kind, label, state, version, value, wakeAt, expiresAt, taken = [], keep = [] } = change;
  bytes.text(key).double(version);
  if (value === null) bytes.text(null);
  else
    bytes.block(() =>
      bytes.double(timeOf(wakeAt)).double(timeOf(expiresAt)).text(kind).text(label).text(state).bare(value),
    );
  bytes.integer(taken.length, 4);
  for (const no of taken) bytes.double(no);
  bytes.integer(keep.length, 4);
  for (const { name, text } of keep) bytes.text(name).text(text);
}

function writeReport(bytes: Writer, { plan, as, state, result, error }: NewReport): void {
  bytes.text(plan).integer(REPORT_STATES.indexOf(state), 1).text(as).text(result);
  bytes.text(error === null ? null : JSON.stringify(error));
}

/** Whole ms, rounded up, so that nothing happens early; NaN for none. */
function timeOf(at: number | null): number {
  return at === null ? Number.NaN : Math.ceil(at);
}
