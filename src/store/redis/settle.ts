import { JOB_STATES } from '../../core/job-state.ts';
import { isGivenBack, type OutcomeType } from '../../core/outcome.ts';
import { settle as rule } from '../../core/settle-rule.ts';
import type { AnnotateReceipt, Note, Settlement, SettleReceipt } from '../store.ts';
import type { Session } from './session.ts';
import { parseToken, type Token } from './token.ts';
import type { WholeBatch } from './whole.ts';
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
  const parts = new Parts();
  for (let from = 0; from < settlements.length; ) {
    const whole = session.wholes.take(settlements, from);
    const to = from + (whole?.results.length ?? 1);
    const isSent = whole === null ? parts.add(settlements[from] as Settlement) : parts.addWhole(whole);
    for (; from < to; from += 1) if (isSent) sent.push(from);
  }
  if (sent.length === 0) return receipts;
  const { values } = await session.scripts.run('settle', now, parts.done());
  const states = values[0] as Buffer;
  for (let place = 0; place < sent.length; place += 1)
    receipts[sent[place] as number] = receiptOf(states[place] as number);
  return receipts;
}

/** Completions and others by turns, in the order of the batch: a batch that only completes is one part. */
class Parts {
  readonly #done: Buffer[] = [];
  #completions = new Completions();
  #others: Writer | null = null;

  /** False for what cannot be anybody's. */
  add(settlement: Settlement): boolean {
    const { id, token, outcome } = settlement;
    const parsed = parseToken(token);
    if (parsed === null) return false;
    if (outcome.type === 'completed') {
      if (this.#others !== null) this.#end();
      if (this.#completions.add(id, parsed, outcome.result)) return true;
    }
    this.#others ??= new Writer();
    writeSettlement(this.#others, settlement, parsed);
    return true;
  }

  addWhole(whole: WholeBatch): true {
    if (this.#others !== null) this.#end();
    this.#completions.addWhole(whole);
    return true;
  }

  done(): Buffer[] {
    this.#end();
    return this.#done;
  }

  #end(): void {
    this.#done.push(this.#completions.done(), this.#others?.done() ?? NOTHING);
    this.#completions = new Completions();
    this.#others = null;
  }
}

const NOTHING = Buffer.alloc(0);

/** In runs of one batch and of seqs that begin alike, as lua/settle.lua describes them. */
class Completions {
  readonly #bytes = new Writer();
  #results: (string | null)[] = [];
  #batch = 0;
  #upper = 0;
  #sizeAt = 0;
  #hasResults = false;
  #inRun = false;

  /** False when the id is not one of 16 bytes. */
  add(id: string, { batch, seq }: Token, result: string | null): boolean {
    const low = seq % 256;
    const upper = (seq - low) / 256;
    if (!this.#inRun || batch !== this.#batch || upper !== this.#upper) {
      this.#endRun();
      this.#inRun = true;
      this.#batch = batch;
      this.#upper = upper;
      this.#bytes.integer(batch, 6);
      this.#sizeAt = this.#bytes.length;
      this.#bytes.integer(0, 4).bigEndian(upper, 5);
    }
    if (!this.#bytes.uuid(id)) return false;
    this.#bytes.integer(low, 1);
    this.#results.push(result);
    if (result !== null) this.#hasResults = true;
    return true;
  }

  addWhole({ number, claimId, results }: WholeBatch): void {
    this.#endRun();
    const bytes = this.#bytes;
    bytes.integer(number, 6).integer(WHOLE, 4).integer(results.length, 4).text(claimId);
    const areNone = results.every((result) => result === null);
    bytes.block(() => {
      if (!areNone) for (const result of results) bytes.textBetween(result);
    });
  }

  done(): Buffer {
    this.#endRun();
    return this.#bytes.done();
  }

  #endRun(): void {
    if (!this.#inRun) return;
    this.#inRun = false;
    this.#bytes.integerAt(this.#sizeAt, this.#results.length);
    this.#bytes.integer(this.#hasResults ? 1 : 0, 4);
    if (this.#hasResults) for (const result of this.#results) this.#bytes.textBetween(result);
    this.#results = [];
    this.#hasResults = false;
  }
}

/** In the place of how many there are in a run: all of the batch. */
const WHOLE = 0xffffffff;

/** Kinds in the order of lua/settle.lua. */
const KINDS: readonly OutcomeType[] = ['completed', 'retried', 'failed', 'cancelled', 'snoozed', 'released'];
const LOST: SettleReceipt = { status: 'lost' };
/** By the number of the state. */
const SETTLED: readonly SettleReceipt[] = [
  LOST,
  ...JOB_STATES.map((state): SettleReceipt => ({ status: 'settled', state })),
];

/** In place of the id, which lua/_unique.lua puts in. */
export const HOLDER = '{{holder}}';

function receiptOf(state: number): SettleReceipt {
  return SETTLED[state] ?? LOST;
}

/** As lua/_change.lua reads it. */
export function writeSettlement(bytes: Writer, { id, outcome }: Settlement, token: Token): void {
  const { batch, seq, attempt, attemptsMax, crashes } = token;
  bytes.integer(KINDS.indexOf(outcome.type), 1).id(id).integer(batch, 6).integer(seq, 6);
  bytes.integer(attempt, 3).double(attemptsMax).integer(crashes, 2);
  if (outcome.type === 'completed') {
    bytes.text(outcome.result);
    return;
  }
  // Times count from the script's now.
  for (const cancelRequested of [false, true])
    bytes.change(rule({ attempt, attemptsMax, crashes, cancelRequested }, outcome, 0));
  bytes.integer(isGivenBack(outcome) ? 1 : 0, 1);
  if (isGivenBack(outcome))
    bytes.change(
      rule({ attempt, attemptsMax, crashes, cancelRequested: false, replacedBy: HOLDER }, outcome, 0),
    );
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
    const { batch, seq } = parseToken(token) ?? { batch: 0, seq: 0 };
    bytes.id(id).integer(batch, 6).integer(seq, 6);
    bytes.integer(progress === undefined ? 0 : 1, 1).text(progress);
    bytes.integer(logs.length, 4);
    for (const { at, attempt, message, data } of logs)
      bytes.text(JSON.stringify({ at, attempt, message, data }));
  }
  const { values } = await session.scripts.run('annotate', now, [bytes.done()]);
  return [...(values[0] as Buffer)].map((noted) => (noted === 1 ? 'noted' : 'lost'));
}
