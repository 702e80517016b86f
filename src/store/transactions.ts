import type { Outcome } from '../core/outcome.ts';
import type { Note, Settlement, SettleReceipt, Timed } from './spec.ts';

/**
 * Completing jobs in transactions of the caller's: the part of the contract behind the capability `transactions`, beside
 * EnqueueCall.tx. The caller's writes and the end of the job commit together. What such a transaction holds until its end
 * must keep nobody else waiting: no other job of the same claim, no claim, no enqueue, no beat.
 */
export interface Transactions {
  /**
   * Opens a transaction through the caller's own library, runs `body` in it, and commits; rolls back and rejects with the
   * error of `body` when that rejects. `db` is a pool or client of a library; undefined = the pool the store was given, if any.
   * Throws OPTION_INVALID for what the store does not understand; errors of the library pass as they are.
   */
  run(db: unknown, body: (tx: object) => Promise<void>): Promise<void>;
  /**
   * Completes a running job in the transaction `tx` that the caller opened and will end, fenced by its token. `lost`: nothing
   * was written. After the end of the transaction, whatever it was, `confirm` is to be called. Throws as Store.enqueue with `tx`.
   */
  complete(tx: unknown, completion: Completion, options?: Timed): Promise<SettleReceipt>;
  /**
   * What became of completions, and lets go of what committed ones still hold: the job's place in its lease, in its queue's
   * limit and in the line of its key. Waits for no transaction of a caller's. May be repeated. What nobody confirms, such as
   * after a crash, `reap` lets go of.
   */
  confirm(completions: readonly Completion[], options?: Timed): Promise<ConfirmReceipt[]>;
  /** The same for handlers in other threads and processes, whose connections are there. */
  readonly remote: RemoteTransactions;
}

/** `run` and `complete` go by a module that the handler's thread or process imports; `confirm` stays here. */
export interface RemoteTransactions {
  /** URL of a module that exports what TransactionModule (core/transaction-module.ts) says. Throws PACKAGE_INCOMPLETE. */
  readonly module: string;
  /** What `complete` of that module takes, as JSON can say it. The completion may be written from now on, so `confirm` is to be called. */
  prepare(completion: Completion, options?: Timed): unknown;
  /** It was not written, and will not be. */
  forget(completion: Completion): void;
}

export interface Completion extends Settlement {
  readonly outcome: Extract<Outcome, { type: 'completed' }>;
  /** Progress and log lines that are not written yet. */
  readonly note?: Note;
  /** Written in another thread or process, so that nobody here has told of it. */
  readonly remote?: true;
}

/**
 * `settled`: it committed. `open`: its transaction has not ended. `undone`: it was rolled back, and the job runs by its token
 * as before. `lost`: the job runs by another token, or ended otherwise.
 */
export type ConfirmReceipt = SettleReceipt | { readonly status: 'open' | 'undone' };
