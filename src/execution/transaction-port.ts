import { LongshoreError } from '../core/errors.ts';
import type { RunTransaction } from '../core/job-context.ts';
import { knownNames } from '../core/options.ts';

/**
 * The requests of a handler in a thread or process to its worker, made to complete its job in a transaction of its own
 * (resident-transaction.ts): the worker knows the lease, the notes and the keys, the host has the connection. The worker
 * knows of a completion before it is written, so it finds out what became of one whose host died.
 */
export interface TransactionPort {
  /** Rejects with TRANSACTIONS_UNSUPPORTED, JOB_STATE_REFUSED, and why the attempt was aborted. */
  beginTransaction(method: TransactionMethod): Promise<{ readonly module: string }>;
  /** `result`: JSON text. Returns what the module's `complete` takes: from now on it may be written. */
  prepareCompletion(
    method: TransactionMethod,
    result: string | null,
  ): Promise<{ readonly prepared: unknown }>;
  /** It was not written. */
  forgetCompletion(): Promise<void>;
  /** The call is over. Resolves to whether the transaction committed; that of `complete` may still be open. */
  endTransaction(how: 'committed' | 'failed' | 'open'): Promise<boolean>;
}

export type TransactionMethod = 'transaction' | 'complete';

/** The asks of this port, for the border. */
export const TRANSACTION_ASKS = {
  beginTransaction: true,
  prepareCompletion: true,
  forgetCompletion: true,
  endTransaction: true,
} as const satisfies Record<keyof TransactionPort, true>;

/** What `ctx.transaction` and `ctx.complete` do, wherever the handler runs. */
export interface OwnTransactions {
  transaction(db: unknown, run: (tx: never) => unknown): Promise<unknown>;
  complete(result: unknown, options: { readonly tx: object }): Promise<void>;
}

/** Options of `ctx.complete`. */
export const COMPLETE_OPTIONS = knownNames<{ readonly tx: object }>({ tx: true });

/** `ctx.transaction` in both of its forms. */
export function transactionOf(own: () => OwnTransactions): RunTransaction {
  return (async (...given: readonly unknown[]) => {
    // A db that is null or undefined by mistake is no wish for the store's.
    const [db, run] = given.length === 1 ? [undefined, given[0]] : [given[0] ?? null, given[1]];
    return own().transaction(db, run as (tx: never) => unknown);
  }) as RunTransaction;
}

export function completionLost({ id, task }: { readonly id: string; readonly task: string }): LongshoreError {
  return new LongshoreError(
    'LEASE_LOST',
    `Job ${id} of task '${task}' was not completed in the transaction: its lease is lost, so another worker may run it. Nothing of the transaction may be committed.`,
    { details: { id, task } },
  );
}
