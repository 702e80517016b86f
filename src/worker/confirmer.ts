import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Completion, ConfirmReceipt, Transactions } from '../store/transactions.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { Attempt } from './attempt.ts';
import { BackoffTimer } from './backoff-timer.ts';
import type { OwnCompletion } from './own-completion.ts';
import type { Settler } from './settler.ts';
import { outcomeOf } from './steps.ts';

/**
 * Finds out what became of jobs that were completed in transactions of their handlers: once a library says that one
 * committed, and otherwise when the handler has ended. What committed is told as any other end; what was undone goes to the
 * settler. A transaction that is still open then is asked about again: nothing may be written of its job before.
 */
export interface ConfirmerOptions {
  readonly transactions: Transactions | null;
  readonly settler: Settler;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly random: () => number;
  /** An attempt is to be settled as any other. */
  readonly onUndone: (attempt: Attempt, outcome: Outcome | null) => void;
  readonly onConfirmed: () => void;
}

interface Waiting {
  readonly attempt: Attempt;
  readonly own: OwnCompletion;
  readonly completion: Completion;
  /** What its handler made of it; undefined: it has not ended. */
  outcome: Outcome | null | undefined;
}

export class Confirmer {
  readonly #options: ConfirmerOptions;
  readonly #backoff: BackoffTimer;
  readonly #waiting = new Map<Attempt, Waiting>();
  #asking: Promise<void> | null = null;

  constructor(options: ConfirmerOptions) {
    this.#options = options;
    this.#backoff = new BackoffTimer(options.clock, options.random);
  }

  /** Jobs of which it is not known what became of them. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Its library said that the transaction committed. */
  committed(attempt: Attempt): void {
    this.#add(attempt, undefined);
  }

  /** The handler has ended. True: the outcome is seen to here. */
  ended(attempt: Attempt, outcome: Outcome | null): boolean {
    const own = attempt.completion;
    if (own === null || own.written === null) return false;
    if (!own.confirmed) this.#add(attempt, outcome);
    else attempt.durable?.forget();
    return true;
  }

  /** One last question: the store may be there again. What it does not answer is left to the leases. */
  async lastTry(): Promise<void> {
    this.#backoff.reset();
    await this.#asking;
    if (this.#waiting.size > 0) await this.#ask();
    this.#backoff.reset();
    this.#waiting.clear();
  }

  #add(attempt: Attempt, outcome: Outcome | null | undefined): void {
    const own = attempt.completion as OwnCompletion;
    const waiting = this.#waiting.get(attempt);
    if (waiting === undefined)
      this.#waiting.set(attempt, { attempt, own, completion: own.written as Completion, outcome });
    else waiting.outcome = outcome;
    this.#askSoon();
  }

  /** One turn later, so that all that commit in this turn are asked about together. */
  #askSoon(): void {
    if (this.#asking !== null || this.#backoff.waiting) return;
    this.#asking = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#ask())
      .finally(() => {
        this.#asking = null;
        if (this.#waiting.size > 0) this.#askSoon();
      });
  }

  async #ask(): Promise<void> {
    const batch = [...this.#waiting.values()];
    if (batch.length === 0) return;
    try {
      const transactions = this.#options.transactions as Transactions;
      const receipts = await transactions.confirm(batch.map(({ completion }) => completion));
      for (const [index, waiting] of batch.entries()) this.#hear(waiting, receipts[index] as ConfirmReceipt);
      if (this.#waiting.size > 0 && receipts.some(({ status }) => status === 'open')) this.#askLater();
      else this.#backoff.reset();
    } catch (error) {
      const gone = error instanceof LongshoreError && error.code === 'STORE_CLOSED';
      if (gone) this.#waiting.clear();
      const retryMs = gone ? null : this.#askLater();
      this.#options.events.emit('store.failed', { verb: 'settle', error, retryMs });
    }
    this.#options.onConfirmed();
  }

  #askLater(): number {
    return this.#backoff.retry(() => this.#askSoon());
  }

  #hear({ attempt, own, completion, outcome }: Waiting, receipt: ConfirmReceipt): void {
    if (receipt.status === 'open') return;
    this.#waiting.delete(attempt);
    if (receipt.status === 'undone') {
      own.undo();
      this.#undone(attempt, own, outcome);
      return;
    }
    own.confirmed = true;
    const { settler } = this.#options;
    const runMs = attempt.finished ? attempt.runMs : performance.now() - attempt.startedAt;
    // What was certain to have committed may have been let go of by the leader before.
    if (attempt.finished) attempt.durable?.forget();
    if (receipt.status === 'settled' || own.committed)
      settler.tell(attempt.lease, completion.outcome, runMs, { status: 'settled', state: 'completed' });
    else settler.lose(attempt.lease, 'completed');
  }

  /** A handler that returned although its transaction did not commit has not done its work. */
  #undone(attempt: Attempt, own: OwnCompletion, outcome: Outcome | null | undefined): void {
    own.committed = false;
    if (outcome === undefined) return;
    const { clock, random, onUndone } = this.#options;
    const thrown = rolledBack(attempt);
    onUndone(
      attempt,
      outcome?.type === 'completed' ? outcomeOf(thrown, attempt, clock.now(), random) : outcome,
    );
  }
}

function rolledBack({ id }: Attempt): LongshoreError {
  return new LongshoreError(
    'TRANSACTION_ROLLED_BACK',
    `Job ${id} was completed in a transaction of its handler, which was then rolled back: the attempt failed. Where a statement had failed, COMMIT rolls back without an error.`,
    { details: { id } },
  );
}
