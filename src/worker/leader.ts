import type { CancelTimer, Clock } from '../core/clock.ts';
import type { Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { Service } from './service.ts';

/**
 * Elects one worker to do the store's maintenance, and runs the duties while it leads. The lock is short (half a
 * lease, at most 10 s), so that when a leader dies the next one is there before the leases it leaves expire.
 * Leadership only saves work: every duty is safe when two workers believe they lead.
 */
export interface Duty {
  /** For events. */
  readonly name: string;
  /** Does one round; resolves to when the next one is due, in ms from now. */
  run(): Promise<number>;
}

export interface LeaderOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly workerId: string;
  readonly leaseMs: number;
  readonly duties: readonly Duty[];
}

const LOCK = 'maintenance';
const LOCK_MAX_MS = 10_000;
const RETRY_AFTER_ERROR_MS = 1_000;

export class Leader extends Service {
  readonly #options: LeaderOptions;
  readonly #ttlMs: number;
  readonly #timers = new Map<string, CancelTimer>();
  readonly #rounds = new Set<Promise<void>>();
  #open = false;
  #leading = false;
  /** The lock could not be asked for: living workers could not beat either. */
  #cutOff = false;

  constructor(options: LeaderOptions) {
    super();
    this.#options = options;
    this.#ttlMs = Math.min(options.leaseMs / 2, LOCK_MAX_MS);
  }

  get leading(): boolean {
    return this.#leading;
  }

  protected onStart(): Promise<void> {
    this.#open = true;
    return this.#campaign();
  }

  protected async onStop(): Promise<void> {
    const { store, workerId } = this.#options;
    this.#open = false;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await Promise.all(this.#rounds);
    if (!this.#leading) return;
    this.#become(false);
    await store.lock.release({ name: LOCK, holder: workerId }).catch(() => undefined);
  }

  async #campaign(): Promise<void> {
    const { store, events, workerId } = this.#options;
    try {
      const leading = await store.lock.acquire({ name: LOCK, holder: workerId, ttlMs: this.#ttlMs });
      // After an outage beats go first, or every lease would be taken back: they come every third of a lease.
      this.#become(leading, this.#cutOff ? this.#options.leaseMs / 2 : 0);
      this.#cutOff = false;
    } catch (error) {
      this.#cutOff = true;
      this.#become(false);
      events.emit('store.failed', { verb: 'lock.acquire', error, retryMs: this.#ttlMs / 3 });
    }
    this.#later('campaign', this.#ttlMs / 3, () => this.#campaign());
  }

  #become(leading: boolean, firstMs = 0): void {
    if (leading === this.#leading) return;
    this.#leading = leading;
    this.#options.events.emit('leader.changed', { workerId: this.#options.workerId, leading });
    if (leading)
      for (const duty of this.#options.duties) this.#later(duty.name, firstMs, () => this.#perform(duty));
  }

  async #perform(duty: Duty): Promise<void> {
    if (!this.#leading) return;
    let nextMs = RETRY_AFTER_ERROR_MS;
    try {
      nextMs = await duty.run();
    } catch (error) {
      this.#options.events.emit('store.failed', { verb: duty.name, error, retryMs: nextMs });
    }
    if (this.#leading) this.#later(duty.name, nextMs, () => this.#perform(duty));
  }

  /** One timer per name; every round that runs is waited for by `stop`. */
  #later(name: string, delayMs: number, round: () => Promise<void>): void {
    if (!this.#open) return;
    this.#timers.get(name)?.();
    const cancel = this.#options.clock.after(delayMs, () => {
      const running = round().finally(() => this.#rounds.delete(running));
      this.#rounds.add(running);
    });
    this.#timers.set(name, cancel);
  }
}
