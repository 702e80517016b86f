import { LongshoreError, optionInvalid } from '../core/errors.ts';
import type { RunTransaction } from '../core/job-context.ts';
import { knownNames, requireOptions } from '../core/options.ts';
import type { PayloadCodec } from '../core/payload.ts';
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

const OPTIONS = knownNames<{ readonly tx: object }>({ tx: true });

/**
 * The end of a job in a transaction of its handler's (`ctx.transaction`, `ctx.complete`). From the moment it is written
 * the job's outcome hangs on that transaction: nothing else is written of the job until it is known what became of it.
 */
export class OwnCompletion {
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

  async transaction<Result>(db: unknown, run: (tx: never) => Result | Promise<Result>): Promise<Result> {
    const transactions = this.#requireTransactions('transaction');
    if (typeof run !== 'function')
      throw optionInvalid('run', run, 'a function that is given the transaction');
    return this.#alone('transaction', async () => {
      let result: Result | undefined;
      const letNotesGo = this.#means.notes.hold(this.#attempt.lease);
      try {
        await transactions.run(db, async (tx) => {
          // It may have had to wait for a connection.
          this.#requireGoing('transaction');
          result = await run(tx as never);
          await this.#write('transaction', tx, result);
          this.#requireGoing('transaction');
        });
      } catch (error) {
        if (this.written === null || (await this.#whatBecame(transactions)) !== 'settled') throw error;
        // The commit's answer was lost, and not the commit.
      } finally {
        letNotesGo();
      }
      this.committed = true;
      this.#onCommitted();
      return result as Result;
    });
  }

  async complete(result: unknown, options: { readonly tx: object }): Promise<void> {
    this.#requireTransactions('complete');
    requireOptions('complete', options, OPTIONS);
    await this.#alone('complete', () => this.#write('complete', options.tx, result));
  }

  /** It did not commit: the job runs as before. */
  undo(): void {
    const note = this.written?.note;
    this.written = null;
    if (note !== undefined) this.#means.notes.restore(note);
  }

  async #write(method: Method, tx: object, result: unknown): Promise<void> {
    this.#requireGoing(method);
    const { lease } = this.#attempt;
    const encoded = this.#means.codec.encode(
      result,
      { role: 'result', id: lease.id },
      `the result of task '${lease.task}'`,
    );
    const note = this.#means.notes.take(lease);
    const outcome = { type: 'completed', result: encoded } as const;
    this.written = { id: lease.id, token: lease.token, outcome, ...(note === undefined ? {} : { note }) };
    try {
      const receipt = await (this.#means.transactions as Transactions).complete(tx, this.written);
      if (receipt.status === 'lost') throw lost(lease);
    } catch (error) {
      this.undo();
      throw error;
    }
  }

  async #whatBecame(transactions: Transactions): Promise<ConfirmReceipt['status']> {
    try {
      const [receipt] = await transactions.confirm([this.written as Completion]);
      if (receipt?.status === 'undone') this.undo();
      return receipt?.status ?? 'open';
    } catch {
      // Asked again when the handler has ended (confirmer.ts).
      return 'open';
    }
  }

  /** One at a time, and none after one that was not undone. */
  async #alone<Result>(method: Method, work: () => Promise<Result>): Promise<Result> {
    this.#requireGoing(method);
    if (this.#busy)
      throw refused(this.#attempt, method, 'another call of it has not ended; await that first');
    this.#busy = true;
    try {
      if (this.written !== null && !this.committed)
        await this.#whatBecame(this.#means.transactions as Transactions);
      if (this.written !== null)
        throw refused(this.#attempt, method, 'this attempt has completed its job already');
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  #requireGoing(method: Method): void {
    const { abortReason, finished } = this.#attempt;
    if (abortReason !== null) throw abortReason;
    if (finished) throw refused(this.#attempt, method, 'its attempt has ended; await it within the handler');
  }

  #requireTransactions(method: Method): Transactions {
    const { transactions } = this.#means;
    if (transactions !== null) return transactions;
    throw new LongshoreError(
      'TRANSACTIONS_UNSUPPORTED',
      `ctx.${method}() needs a postgres: or sqlite: store, whose jobs lie in a database that you can write to as well; this store has no transactions to share.`,
      { details: { id: this.#attempt.lease.id, method } },
    );
  }
}

/** `ctx.transaction` in both of its forms. */
export function transactionOf(own: () => OwnCompletion): RunTransaction {
  return (async (...given: readonly unknown[]) => {
    // A db that is null or undefined by mistake is no wish for the store's.
    const [db, run] = given.length === 1 ? [undefined, given[0]] : [given[0] ?? null, given[1]];
    return own().transaction(db, run as (tx: never) => unknown);
  }) as RunTransaction;
}

type Method = 'transaction' | 'complete';

function refused({ lease: { id } }: Completing, method: Method, why: string): LongshoreError {
  return new LongshoreError('JOB_STATE_REFUSED', `ctx.${method}() of job ${id} was refused: ${why}.`, {
    details: { id, method },
  });
}

function lost({ id, task }: Lease): LongshoreError {
  return new LongshoreError(
    'LEASE_LOST',
    `Job ${id} of task '${task}' was not completed in the transaction: its lease is lost, so another worker may run it. Nothing of the transaction may be committed.`,
    { details: { id, task } },
  );
}
