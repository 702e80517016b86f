import type { TransactionMethod, TransactionPort } from '../execution/transaction-port.ts';
import type { RemoteTransactions } from '../store/transactions.ts';
import type { OwnCompletion } from './own-completion.ts';

/**
 * The worker's side of a completion by a handler in a thread or process: it decides and remembers, and the host writes. It
 * knows of a completion before the host can write it.
 */
export class RemoteCompletion implements TransactionPort {
  readonly #own: OwnCompletion;
  #letNotesGo: (() => void) | null = null;
  #left = false;

  constructor(own: OwnCompletion) {
    this.#own = own;
  }

  async beginTransaction(method: TransactionMethod): Promise<{ readonly module: string }> {
    const { module } = this.#remote(method);
    await this.#own.begin(method);
    if (method === 'transaction' && !this.#left) this.#letNotesGo = this.#own.holdNotes();
    return { module };
  }

  async prepareCompletion(
    method: TransactionMethod,
    result: string | null,
  ): Promise<{ readonly prepared: unknown }> {
    const remote = this.#remote(method);
    return { prepared: remote.prepare(this.#own.prepare(method, result, { remote: true })) };
  }

  async forgetCompletion(): Promise<void> {
    const { written } = this.#own;
    if (written === null) return;
    this.#remote('complete').forget(written);
    this.#own.undo();
  }

  async endTransaction(how: 'committed' | 'failed' | 'open'): Promise<boolean> {
    try {
      if (how === 'failed') return await this.#own.committedAfterAll();
      if (how === 'committed') this.#own.commit();
      return how === 'committed';
    } finally {
      this.#release();
    }
  }

  /** Its handler has ended, or its host is gone. */
  leave(): void {
    this.#left = true;
    this.#release();
  }

  #release(): void {
    this.#letNotesGo?.();
    this.#letNotesGo = null;
    this.#own.end();
  }

  #remote(method: TransactionMethod): RemoteTransactions {
    return this.#own.requireTransactions(method).remote;
  }
}
