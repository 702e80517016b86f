import { JOB_STATES, type JobState } from '../../core/job-state.ts';
import type { OutcomeType } from '../../core/outcome.ts';
import { settle as rule } from '../../core/settle-rule.ts';
import type { AnnotateReceipt, Note, Settlement, SettleReceipt } from '../store.ts';
import type { Session } from './session.ts';
import { parseToken, type Token } from './token.ts';
import { Writer } from './wire.ts';

/**
 * Outcomes in. The settle rule decides here, before the store is asked: all it must know of a job stands in the token, but
 * for whether cancellation was asked for; so both answers go over, and lua/settle.lua takes the one that holds.
 */
export async function settle(
  session: Session,
  settlements: readonly Settlement[],
  now: number | undefined,
): Promise<SettleReceipt[]> {
  const receipts: SettleReceipt[] = Array(settlements.length).fill(LOST);
  const sent: number[] = [];
  const bytes = new Writer(settlements.length * 64);
  for (const [index, settlement] of settlements.entries()) {
    const token = parseToken(settlement.token);
    if (token === null) continue;
    writeSettlement(bytes, settlement, token);
    sent.push(index);
  }
  if (sent.length === 0) return receipts;
  const { values } = await session.scripts.run('settle', now, [bytes.done()]);
  const states = values[0] as Buffer;
  for (const [place, index] of sent.entries()) receipts[index] = receiptOf(states[place] as number);
  return receipts;
}

/** Kinds in the order of lua/settle.lua. */
const KINDS: readonly OutcomeType[] = ['completed', 'retried', 'failed', 'cancelled', 'snoozed', 'released'];
const LOST: SettleReceipt = { status: 'lost' };
const SETTLED: readonly SettleReceipt[] = JOB_STATES.map((state: JobState) => ({ status: 'settled', state }));

function receiptOf(state: number): SettleReceipt {
  return SETTLED[state] ?? LOST;
}

function writeSettlement(bytes: Writer, { id, outcome }: Settlement, token: Token): void {
  const { batch, attempt, attemptsMax, crashes } = token;
  bytes.integer(KINDS.indexOf(outcome.type), 1).id(id).integer(batch, 6);
  bytes.integer(attempt, 3).double(attemptsMax).integer(crashes, 2);
  if (outcome.type === 'completed') {
    bytes.text(outcome.result);
    return;
  }
  // Times count from the script's now.
  for (const cancelRequested of [false, true])
    bytes.change(rule({ attempt, attemptsMax, crashes, cancelRequested }, outcome, 0));
}

/** Progress and log lines, fenced in the same way. */
export async function annotate(
  session: Session,
  notes: readonly Note[],
  now: number | undefined,
): Promise<AnnotateReceipt[]> {
  if (notes.length === 0) return [];
  const bytes = new Writer(notes.length * 128);
  for (const { id, token, progress, logs = [] } of notes) {
    bytes.id(id).integer(parseToken(token)?.batch ?? 0, 6);
    bytes.integer(progress === undefined ? 0 : 1, 1).text(progress);
    bytes.integer(logs.length, 4);
    for (const { at, attempt, message, data } of logs)
      bytes.text(JSON.stringify({ at, attempt, message, data }));
  }
  const { values } = await session.scripts.run('annotate', now, [bytes.done()]);
  return [...(values[0] as Buffer)].map((noted) => (noted === 1 ? 'noted' : 'lost'));
}
