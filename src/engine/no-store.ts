import { type ErrorCode, LongshoreError } from '../core/errors.ts';
import { memberOf } from '../core/legible.ts';
import type { Transactions } from '../store/transactions.ts';
import type { DurableMeans } from '../worker/durable.ts';
import type { CompletionMeans } from '../worker/own-completion.ts';

/** What handlers may ask for that lives in a store of Longshore: refused, since work of another engine is in none. */

/** For durable steps: the first thing they do is to look what was kept. */
export function noSteps(engine: string): DurableMeans['store'] {
  const refuse = async (): Promise<never> => {
    throw unsupported(
      'STEPS_UNSUPPORTED',
      `context.step(), sleep() and waitFor() keep in a store of Longshore what was done; work of ${engine} is in none. Leave it to the engine to keep steps, or enqueue a job on a store from here.`,
      engine,
    );
  };
  return { plan: refuse, commit: refuse, annotate: refuse };
}

/** For `context.transaction` and `context.complete`. */
export function noTransactions(engine: string): Pick<CompletionMeans, 'transactions' | 'notes'> {
  const refusal = (): LongshoreError =>
    unsupported(
      'TRANSACTIONS_UNSUPPORTED',
      `context.transaction() and complete() end a job in a transaction on the store it is in; work of ${engine} is in none. Open the transaction with your database's own library, and make the handler repeatable.`,
      engine,
    );
  const refuse = async (): Promise<never> => {
    throw refusal();
  };
  const remote = {
    get module(): never {
      throw refusal();
    },
    prepare: () => null,
    forget: () => undefined,
  };
  const transactions: Transactions = { run: refuse, complete: refuse, confirm: refuse, remote };
  const notes = { hold: () => () => undefined, take: () => undefined, restore: () => undefined };
  return { transactions, notes };
}

/** Such an error comes again each time. */
export function lacksStore(thrown: unknown): boolean {
  return CODES.has(memberOf(thrown, 'code'));
}

const CODES = new Set<unknown>(['STEPS_UNSUPPORTED', 'TRANSACTIONS_UNSUPPORTED'] satisfies ErrorCode[]);

function unsupported(code: ErrorCode, message: string, engine: string): LongshoreError {
  return new LongshoreError(code, message, { details: { engine } });
}
