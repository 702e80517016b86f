import { LongshoreError, optionInvalid } from '../core/errors.ts';
import { requireOptions } from '../core/options.ts';
import type { PayloadCodec } from '../core/payload.ts';
import {
  COMPLETE_OPTIONS,
  completionLost,
  type OwnTransactions,
  type TransactionMethod,
} from '../execution/transaction-port.ts';
import type { Lease, Note } from '../store/store.ts';
import type { Completion, ConfirmReceipt, Transactions } from '../store/transactions.ts';

/** What completing in a transaction of the handler's needs of the worker. */
export interface CompletionMeans {
  /** Null where the store has none. */
  readonly transactions: Transactions | null;
  readonly codec: PayloadCodec;
  /** Notes that are not written yet go into the transaction, and come back when it is undone. */
  readonly notes: {
    hold(lease: Lease): () => void;
    take(lease: Lease): Note | undefined;
    restore(note: Note): void;
  };
}

/** As much of an attempt as its completion must know. */
export interface Completing {
  readonly lease: Lease;
  readonly abortReason: LongshoreError | null;
  readonly finished: boolean;
}

/**
 * The end of a job in a transaction of its handler's (`ctx.transaction`, `ctx.complete`). From the moment it is written
 * the job's outcome hangs on that transaction: nothing else is written of the job until it is known what became of it.
 */
export class OwnCompletion implements OwnTransactions {
  /** Written, and not known to be undone. */
  written: Completion | null = null;
  /** The library said that it committed. */
  committed = false;
  /** The worker has told of it. */
  confirmed = false;
  readonly #attempt: Completing;
  readonly #means: CompletionMeans;
  readonly #onCommitted: () => void;
  #busy = false;

  /** `onCommitted`: the transaction committed, as its library says. */
  constructor(attempt: Completing, means: CompletionMeans, onCommitted: () => void) {
    this.#attempt = attempt;
    this.#means = means;
    this.#onCommitted = onCommitted;
  }

  async transaction(db: unknown, run: (tx: never) => unknown): Promise<unknown> {
    const transactions = this.requireTransactions('transaction');
    if (typeof run !== 'function')
      throw optionInvalid('run', run, 'a function that is given the transaction');
    await this.begin('transaction');
    const letNotesGo = this.holdNotes();
    let result: unknown;
    try {
      await transactions.run(db, async (tx) => {
        // It may have had to wait for a connection.
        this.#requireGoing('transaction');
        result = await run(tx as never);
        await this.#write('transaction', tx, result);
        this.#requireGoing('transaction');
      });
      this.commit();
    } catch (error) {
      if (!(await this.committedAfterAll())) throw error;
    } finally {
      letNotesGo();
      this.end();
    }
    return result;
  }

  async complete(result: unknown, options: { readonly tx: object }): Promise<void> {
    this.requireTransactions('complete');
    requireOptions('complete', options, COMPLETE_OPTIONS);
    await this.begin('complete');
    try {
      await this.#write('complete', options.tx, result);
    } finally {
      this.end();
    }
  }

  /** One call at a time, and none after one that was not undone. */
  async begin(method: TransactionMethod): Promise<void> {
    this.#requireGoing(method);
    if (this.#busy)
      throw refused(this.#attempt, method, 'another call of it has not ended; await that first');
    this.#busy = true;
    try {
      if (this.written !== null && !this.committed) await this.#whatBecame();
      if (this.written !== null)
        throw refused(this.#attempt, method, 'this attempt has completed its job already');
    } catch (error) {
      this.#busy = false;
      throw error;
    }
  }

  end(): void {
    this.#busy = false;
  }

  holdNotes(): () => void {
    return this.#means.notes.hold(this.#attempt.lease);
  }

  /** The completion to be written, with the notes that are not written yet. `result`: JSON text. */
  prepare(
    method: TransactionMethod,
    result: string | null,
    where: Pick<Completion, 'remote'> = {},
  ): Completion {
    this.#requireGoing(method);
    const { lease } = this.#attempt;
    const sealed = this.#means.codec.seal(result, { role: 'result', id: lease.id });
    const note = this.#means.notes.take(lease);
    const outcome = { type: 'completed', result: sealed } as const;
    const { id, token } = lease;
    this.written = { id, token, outcome, ...where, ...(note === undefined ? {} : { note }) };
    return this.written;
  }

  /** Its library said that it committed. */
  commit(): void {
    this.committed = true;
    this.#onCommitted();
  }

  /** Its library said that it failed: the commit's answer may have been lost, and not the commit. */
  async committedAfterAll(): Promise<boolean> {
    if (this.written === null || (await this.#whatBecame()) !== 'settled') return false;
    this.commit();
    return true;
  }

  /** It did not commit: the job runs as before. */
  undo(): void {
    const note = this.written?.note;
    this.written = null;
    if (note !== undefined) this.#means.notes.restore(note);
  }

  async #write(method: TransactionMethod, tx: object, result: unknown): Promise<void> {
    this.#requireGoing(method);
    const { lease } = this.#attempt;
    const { codec } = this.#means;
    const completion = this.prepare(method, codec.text(result, `the result of task '${lease.task}'`));
    try {
      const receipt = await this.requireTransactions(method).complete(tx, completion);
      if (receipt.status === 'lost') throw completionLost(lease);
    } catch (error) {
      this.undo();
      throw error;
    }
  }

  async #whatBecame(): Promise<ConfirmReceipt['status']> {
    const { transactions } = this.#means;
    try {
      const [receipt] = (await transactions?.confirm([this.written as Completion])) ?? [];
      if (receipt?.status === 'undone') this.undo();
      return receipt?.status ?? 'open';
    } catch {
      // Asked again when the handler has ended (confirmer.ts).
      return 'open';
    }
  }

  #requireGoing(method: TransactionMethod): void {
    const { abortReason, finished } = this.#attempt;
    if (abortReason !== null) throw abortReason;
    if (finished) throw refused(this.#attempt, method, 'its attempt has ended; await it within the handler');
  }

  /** Throws TRANSACTIONS_UNSUPPORTED. */
  requireTransactions(method: TransactionMethod): Transactions {
    const { transactions } = this.#means;
    if (transactions !== null) return transactions;
    throw new LongshoreError(
      'TRANSACTIONS_UNSUPPORTED',
      `ctx.${method}() needs a postgres: or sqlite: store, whose jobs lie in a database that you can write to as well; this store has no transactions to share.`,
      { details: { id: this.#attempt.lease.id, method } },
    );
  }
}

function refused({ lease: { id } }: Completing, method: TransactionMethod, why: string): LongshoreError {
  return new LongshoreError('JOB_STATE_REFUSED', `ctx.${method}() of job ${id} was refused: ${why}.`, {
    details: { id, method },
  });
}
