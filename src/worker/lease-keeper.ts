import type { CancelTimer, Clock } from '../core/clock.ts';
import type { BeatReceipt, KeepAlive, Store, TaskProfile, WorkerInfo } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { Slots } from '../tuner/slots.ts';
import type { Executor } from './executor.ts';
import { Service } from './service.ts';
import type { Strays } from './strays.ts';
import { stillInTrouble, type Trouble } from './trouble.ts';

/**
 * Keeps the worker's leases and its entry in the registry alive. The beats themselves run where no handler runs (the
 * store's `keepAlive`), so a handler that blocks the event loop does not lose its lease. What a beat brings back is
 * handed to the executor: jobs to cancel, queues that are paused, leases that are lost, and jobs it holds
 * without knowing of them (strays.ts).
 */
export interface LeaseKeeperOptions {
  readonly store: Store;
  readonly executor: Executor;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly worker: WorkerInfo;
  readonly leaseMs: number;
  /** Where its tasks run now. */
  readonly profiles: () => readonly TaskProfile[];
  /** A claim is under way. */
  readonly claiming: () => boolean;
  readonly strays: Strays;
}

/** What jobs take is told so often at most. */
const PROFILES_MS = 1_000;
/** How many slots are used is told so often at most: beats come from another thread, and to wake that costs more than a job. */
const REPORT_MS = 200;

export class LeaseKeeper extends Service {
  readonly #options: LeaseKeeperOptions;
  #keepAlive: KeepAlive | null = null;
  #unsubscribe: (() => void) | null = null;
  #reported = -1;
  #reportedTotal = -1;
  #profiles: readonly TaskProfile[] = [];
  #profilesText = '';
  #profiledAt = Number.NEGATIVE_INFINITY;
  /** Until when nothing more is told. */
  #cancelPause: CancelTimer | null = null;
  #beatPending = false;
  /** A hint came while a claim was under way: it may be about a job that the claim brings. */
  #beatOwed = false;
  /** Since when beats fail, and why; null when the last one was answered. */
  trouble: Trouble | null = null;

  constructor(options: LeaseKeeperOptions) {
    super();
    this.#options = options;
  }

  /** Tells the next beats how many slots there are, how many are in use and where tasks run. Cheap: called at every turn. */
  report(): void {
    if (this.#beatOwed && !this.#options.claiming()) this.#beatNow();
    if (this.#cancelPause === null && this.#tell()) this.#pause();
  }

  /** False when there is nothing new. */
  #tell(): boolean {
    const { total, used } = this.#options.slots;
    const isNew = this.#lookAtProfiles();
    if (used === this.#reported && total === this.#reportedTotal && !isNew) return false;
    this.#reported = used;
    this.#reportedTotal = total;
    this.#keepAlive?.update({ slots: total, slotsUsed: used, profiles: this.#profiles });
    return true;
  }

  #pause(): void {
    if (this.#keepAlive === null) return;
    const { clock, leaseMs } = this.#options;
    this.#cancelPause = clock.after(Math.min(REPORT_MS, intervalOf(leaseMs) / 2), () => {
      this.#cancelPause = null;
      this.report();
    });
  }

  #lookAtProfiles(): boolean {
    const now = performance.now();
    if (now - this.#profiledAt < PROFILES_MS) return false;
    this.#profiledAt = now;
    const profiles = this.#options.profiles();
    const text = JSON.stringify(profiles);
    if (text === this.#profilesText) return false;
    this.#profiles = profiles;
    this.#profilesText = text;
    return true;
  }

  /** Resolves once the worker is in the registry. */
  protected async onStart(): Promise<void> {
    const { store, worker, leaseMs } = this.#options;
    this.#reported = -1;
    this.#beatOwed = false;
    this.trouble = null;
    const intervalMs = intervalOf(leaseMs);
    this.#keepAlive = store.keepAlive({
      worker,
      leaseMs,
      intervalMs,
      onBeat: (receipt) => this.#onBeat(receipt),
      onError: (error) => this.#onError(error, intervalMs),
    });
    this.report();
    try {
      await this.#keepAlive.beat();
    } catch (error) {
      await this.onStop();
      throw error;
    }
    this.#unsubscribe = store.notifier.subscribe('control', () => this.#beatSoon());
  }

  protected async onStop(): Promise<void> {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#cancelPause?.();
    this.#cancelPause = null;
    const keepAlive = this.#keepAlive;
    this.#keepAlive = null;
    await keepAlive?.close();
  }

  /** A hint may come with the reply of the claim it is about: the executor must know of the job first. */
  #beatSoon(): void {
    if (this.#beatPending) return;
    this.#beatPending = true;
    setImmediate(() => {
      this.#beatPending = false;
      this.#beatNow();
    });
  }

  /** Something may have to be cancelled or to go back; a beat says what. */
  #beatNow(): void {
    const { executor, claiming } = this.#options;
    this.#beatOwed = claiming();
    if (executor.running + executor.buffer.length === 0) return;
    this.#tell();
    this.#keepAlive?.beat().catch((error: unknown) => this.#onError(error, null));
  }

  #onError(error: unknown, retryMs: number | null): void {
    const { clock, events } = this.#options;
    this.trouble = stillInTrouble(this.trouble, error, clock.now());
    events.emit('store.failed', { verb: 'beat', error, retryMs });
  }

  #onBeat(receipt: BeatReceipt): void {
    const { executor } = this.#options;
    this.trouble = null;
    if (executor.running + executor.buffer.length > 0) executor.keepOnly(new Set(receipt.held), receipt.now);
    for (const id of receipt.cancelled) executor.cancel(id);
    if (receipt.paused.length > 0) executor.giveBack(receipt.paused);
    void this.#options.strays.look(receipt);
  }
}

/** Between two beats: a lease outlives one that is lost. */
function intervalOf(leaseMs: number): number {
  return Math.floor(leaseMs / 3);
}
