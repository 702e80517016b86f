import type { CancelTimer, Clock } from '../core/clock.ts';
import type { Planner } from '../flow/planner.ts';
import type { Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { Service } from './service.ts';

/**
 * Decides on plans that nobody else saw to: whose time has come, whose job ended without a worker that knew, whose planner
 * died. The leader looks at each hint and at each plan's time; the others look every few seconds, in case it is cut off.
 * Planning at the same time is safe: the plan's version says whose decision counts.
 */
export interface PlanSweeperOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly planner: Planner;
  readonly leads: () => boolean;
  readonly pollMs: number;
}

/** Whoever settled a step's job decides at once; the leader leaves it so long for that. */
const LEADER_GRACE_MS = 100;
const OTHERS_GRACE_MS = 3_000;
const OTHERS_EVERY_MS = 5_000;
const RETRY_AFTER_ERROR_MS = 1_000;

export class PlanSweeper extends Service {
  readonly #options: PlanSweeperOptions;
  #unsubscribe: (() => void) | null = null;
  #cancel: CancelTimer | null = null;
  #sweeping: Promise<void> | null = null;
  #open = false;
  #again = false;

  constructor(options: PlanSweeperOptions) {
    super();
    this.#options = options;
  }

  /** Leadership changed: the new leader looks at once. */
  look(): void {
    if (this.#open) this.#sweep();
  }

  protected onStart(): void {
    this.#open = true;
    this.#unsubscribe = this.#options.store.notifier.subscribe('plan', () => this.#onHint());
    this.#sweep();
  }

  protected async onStop(): Promise<void> {
    this.#open = false;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#cancel?.();
    this.#cancel = null;
    await this.#sweeping;
  }

  /** What a report was made for is likely decided on by the time the grace is over. */
  #onHint(): void {
    if (this.#options.leads()) this.#later(LEADER_GRACE_MS, true);
  }

  #sweep(): void {
    if (this.#sweeping !== null) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#sweeping = this.#sweepOnce().finally(() => {
      this.#sweeping = null;
      if (this.#again && this.#open) this.#later(LEADER_GRACE_MS, true);
    });
  }

  async #sweepOnce(): Promise<void> {
    const { planner, leads, pollMs, events } = this.#options;
    const leading = leads();
    try {
      const nextMs = await planner.sweep(leading ? LEADER_GRACE_MS : OTHERS_GRACE_MS);
      const mostMs = leading ? pollMs : OTHERS_EVERY_MS;
      this.#later(leading ? Math.min(nextMs ?? mostMs, mostMs) : mostMs);
    } catch (error) {
      events.emit('store.failed', { verb: 'duePlans', error, retryMs: RETRY_AFTER_ERROR_MS });
      this.#later(RETRY_AFTER_ERROR_MS);
    }
  }

  /** `sooner`: unless it looks before then anyway. */
  #later(delayMs: number, sooner = false): void {
    if (!this.#open) return;
    const { clock } = this.#options;
    const at = clock.now() + delayMs;
    if (sooner && this.#cancel !== null && this.#at <= at) return;
    this.#cancel?.();
    this.#at = at;
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = null;
      this.#sweep();
    });
  }

  #at = 0;
}
