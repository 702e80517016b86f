import type { CancelTimer, Clock } from '../core/clock.ts';
import { LongshoreError, mayPass } from '../core/errors.ts';
import { type Waiter, type WaitOptions, waitForEnd } from '../core/wait.ts';
import type { PlanRecord } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import { runKey } from './run-plan.ts';

/**
 * Waits for runs to end, wherever they run: one read for all that are waited for, at each hint of the store
 * (`planEnded`), and at an interval in case hints are lost.
 */
const POLL_MS = 1_000;
const READ_MAX = 500;
/** Between two reads while many are waited for: hints come as fast as runs end. */
const PAUSE_MS = 20;
const MANY = 50;

export class RunWatch {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<Waiter<PlanRecord>>>();
  #unsubscribe: (() => void) | null = null;
  #cancel: CancelTimer | null = null;
  #keepOpen: NodeJS.Timeout | null = null;
  #reading = false;
  #again = false;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Resolves to the run's plan once it has ended. Rejects with RUN_UNKNOWN, RESULT_TIMEOUT, STORE_CLOSED or the signal's reason. */
  async wait(id: string, options: WaitOptions = {}): Promise<PlanRecord> {
    return waitForEnd<PlanRecord>(options, {
      what: 'the wait for a run',
      clock: this.#clock,
      timedOut: (timeoutMs) => timedOut(id, timeoutMs),
      add: (waiter) => this.#add(id, waiter),
      remove: (waiter) => this.#remove(id, waiter),
    });
  }

  close(): void {
    const error = new LongshoreError('STORE_CLOSED', 'The client was closed while waiting for a run to end.');
    this.#rejectAll(error);
  }

  #add(id: string, waiter: Waiter<PlanRecord>): void {
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters.add(waiter));
    this.#unsubscribe ??= this.#store.notifier.subscribe('planEnded', () => this.#read());
    // Somebody awaits: the process must stay, although hints and polls never hold it.
    this.#keepOpen ??= setInterval(() => undefined, 2 ** 30);
    this.#read();
  }

  #remove(id: string, waiter: Waiter<PlanRecord>): void {
    const waiters = this.#waiters.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(id);
    if (this.#waiters.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#cancel?.();
    this.#cancel = null;
    if (this.#keepOpen !== null) clearInterval(this.#keepOpen);
    this.#keepOpen = null;
  }

  #read(): void {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    this.#again = false;
    setImmediate(() => {
      this.#readAll().then(
        () => this.#afterRead(),
        (error: unknown) => {
          // A store that is busy or away costs a wait nothing but time.
          if (!mayPass(error)) this.#rejectAll(error);
          this.#afterRead();
        },
      );
    });
  }

  async #readAll(): Promise<void> {
    const ids = [...this.#waiters.keys()];
    for (let from = 0; from < ids.length; from += READ_MAX) {
      const slice = ids.slice(from, from + READ_MAX);
      const { plans } = await this.#store.duePlans({ keys: slice.map(runKey), limit: slice.length });
      const found = new Map(plans.map((plan) => [plan.key, plan]));
      for (const id of slice) this.#deliver(id, found.get(runKey(id)));
    }
  }

  #deliver(id: string, plan: PlanRecord | undefined): void {
    const waiters = [...(this.#waiters.get(id) ?? [])];
    if (plan === undefined) for (const { reject } of waiters) reject(runGone(id));
    else if (hasEnded(plan)) for (const { resolve } of waiters) resolve(plan);
  }

  #afterRead(): void {
    this.#reading = false;
    if (this.#waiters.size === 0) return;
    this.#cancel?.();
    const again = this.#again;
    const pauseMs = again ? (this.#waiters.size > MANY ? PAUSE_MS : 0) : POLL_MS;
    if (pauseMs === 0) this.#read();
    else this.#cancel = this.#clock.after(pauseMs, () => this.#read());
  }

  #rejectAll(error: unknown): void {
    for (const waiters of [...this.#waiters.values()]) for (const { reject } of [...waiters]) reject(error);
  }
}

export function hasEnded({ state }: PlanRecord): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

function timedOut(id: string, timeoutMs: number): LongshoreError {
  return new LongshoreError(
    'RESULT_TIMEOUT',
    `Run '${id}' did not end within ${timeoutMs} ms. It goes on; only the wait is over.`,
    {
      details: { id, timeoutMs },
    },
  );
}

export function runGone(id: string): LongshoreError {
  return new LongshoreError(
    'RUN_UNKNOWN',
    `There is no run '${id}': it never was, or it ended and is kept no longer.`,
    { details: { id } },
  );
}
