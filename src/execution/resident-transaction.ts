import { type LongshoreError, optionInvalid } from '../core/errors.ts';
import { requireOptions } from '../core/options.ts';
import { encodePayload } from '../core/payload.ts';
import type { TransactionModule } from '../core/transaction-module.ts';
import {
  COMPLETE_OPTIONS,
  completionLost,
  type OwnTransactions,
  type TransactionMethod,
  type TransactionPort,
} from './transaction-port.ts';

/** As much of a job in a host as its completion must know. */
interface CompletingJob {
  readonly id: string;
  readonly taskName: string;
  readonly payloadBytesMax: number;
  readonly abortReason: LongshoreError | null;
}

/**
 * `ctx.transaction` and `ctx.complete` in a thread or process. The connection is the handler's own, so the store's side of
 * it runs here, by the module that the store names; the worker is asked before each step.
 */
export class ResidentTransactions implements OwnTransactions {
  readonly #job: CompletingJob;
  readonly #port: TransactionPort;

  constructor(job: CompletingJob, port: TransactionPort) {
    this.#job = job;
    this.#port = port;
  }

  async transaction(db: unknown, run: (tx: never) => unknown): Promise<unknown> {
    if (typeof run !== 'function')
      throw optionInvalid('run', run, 'a function that is given the transaction');
    const store = await this.#begin('transaction');
    let result: unknown;
    try {
      if (db === undefined) throw optionInvalid('db', db, POOL_OF_OWN);
      await store.run(db, async (tx) => {
        // It may have had to wait for a connection.
        this.#requireGoing();
        result = await run(tx as never);
        await this.#write(store, 'transaction', { tx, result });
        this.#requireGoing();
      });
    } catch (error) {
      // The commit's answer may be lost, and not the commit.
      if (!(await this.#end('failed'))) throw error;
      return result;
    }
    await this.#end('committed');
    return result;
  }

  async complete(result: unknown, options: { readonly tx: object }): Promise<void> {
    requireOptions('complete', options, COMPLETE_OPTIONS);
    const store = await this.#begin('complete');
    try {
      await this.#write(store, 'complete', { tx: options.tx, result });
    } finally {
      await this.#end('open');
    }
  }

  async #begin(method: TransactionMethod): Promise<TransactionModule> {
    const { module } = await this.#port.beginTransaction(method);
    try {
      return (await import(module)) as TransactionModule;
    } catch (error) {
      await this.#end('open');
      throw error;
    }
  }

  /** What the worker does not hear, since the handler has returned, it finds out by itself. */
  #end(how: 'committed' | 'failed' | 'open'): Promise<boolean> {
    return this.#port.endTransaction(how).catch(() => false);
  }

  async #write(
    store: TransactionModule,
    method: TransactionMethod,
    { tx, result }: { readonly tx: object; readonly result: unknown },
  ): Promise<void> {
    const { id, taskName: task, payloadBytesMax } = this.#job;
    const text = encodePayload(result, `the result of task '${task}'`, payloadBytesMax);
    const { prepared } = await this.#port.prepareCompletion(method, text);
    try {
      const receipt = await store.complete(tx, prepared);
      if (receipt.status === 'lost') throw completionLost({ id, task });
    } catch (error) {
      await this.#port.forgetCompletion().catch(() => undefined);
      throw error;
    }
  }

  #requireGoing(): void {
    if (this.#job.abortReason !== null) throw this.#job.abortReason;
  }
}

const POOL_OF_OWN =
  "the pool or client of your library, from the task's own module: in a thread or process the one that connect was given is out of reach";
