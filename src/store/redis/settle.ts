import { isId } from '../../core/ids.ts';
import { JOB_STATES, type JobState } from '../../core/job-state.ts';
import type { OutcomeType } from '../../core/outcome.ts';
import { settle as rule } from '../../core/settle-rule.ts';
import type { AnnotateReceipt, Note, Settlement, SettleReceipt } from '../store.ts';
import { idBytes } from './record.ts';
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
  const parts = new Parts(settlements.length);
  for (const [index, settlement] of settlements.entries()) {
    const token = parseToken(settlement.token);
    if (token === null) continue;
    if (settlement.outcome.type === 'completed' && isId(settlement.id))
      writeCompletion(parts.completions(), settlement.id, token.batch, settlement.outcome.result);
    else writeSettlement(parts.others(), settlement, token);
    sent.push(index);
  }
  if (sent.length === 0) return receipts;
  const { values } = await session.scripts.run('settle', now, parts.done());
  const states = values[0] as Buffer;
  for (const [place, index] of sent.entries()) receipts[index] = receiptOf(states[place] as number);
  return receipts;
}

/** Completions and others by turns, in the order of the batch: a batch that only completes is one part. */
class Parts {
  readonly #bytes: number;
  readonly #written: Writer[] = [];

  constructor(settlements: number) {
    this.#bytes = settlements * 64;
  }

  completions(): Writer {
    if (this.#written.length % 2 === 0) this.#written.push(new Writer(this.#bytes));
    return this.#written.at(-1) as Writer;
  }

  others(): Writer {
    if (this.#written.length === 0) this.#written.push(new Writer(0));
    if (this.#written.length % 2 === 1) this.#written.push(new Writer(this.#bytes));
    return this.#written.at(-1) as Writer;
  }

  done(): Buffer[] {
    const parts = this.#written.map((writer) => writer.done());
    return parts.length % 2 === 0 ? parts : [...parts, NOTHING];
  }
}

const NOTHING = Buffer.alloc(0);

function writeCompletion(bytes: Writer, id: string, batch: number, result: string | null): void {
  bytes.raw(idBytes(id), 0).integer(batch, 6).text(result);
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
