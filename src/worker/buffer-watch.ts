import type { CancelTimer, Clock } from '../core/clock.ts';
import type { Lease } from '../store/store.ts';
import type { BlockedQueues } from './blocked-queues.ts';
import type { LeaseBuffer } from './lease-buffer.ts';
import type { Prefetch } from './prefetch.ts';

/**
 * Jobs that wait in a worker behind slow ones are for other workers. Looked at every 100 ms while jobs wait: those that
 * would wait for more than a second, at the pace of the last 100 ms, go back. A line that ran empty meanwhile was not slow.
 */
export class BufferWatch {
  readonly #options: BufferWatchOptions;
  #cancel: CancelTimer | null = null;

  constructor(options: BufferWatchOptions) {
    this.#options = options;
  }

  /** Begins to watch where jobs wait; goes on by itself. */
  look(): void {
    const { buffer, blocked, clock, prefetch, release } = this.#options;
    if (this.#cancel !== null || buffer.length === 0) return;
    const since = buffer.pace();
    this.#cancel = clock.after(WATCH_MS, () => {
      this.#cancel = null;
      if (buffer.stalled(since)) prefetch.observeStall();
      const leases = buffer.takeSlow(since, WATCHES_KEPT);
      blocked?.add(leases, clock.now());
      if (leases.length > 0) release(leases);
      this.look();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}

export interface BufferWatchOptions {
  readonly buffer: LeaseBuffer;
  /** Learns of the queues of jobs that went back for want of room in a pool. */
  readonly blocked: BlockedQueues | null;
  readonly prefetch: Prefetch;
  readonly clock: Clock;
  readonly release: (leases: readonly Lease[]) => void;
}

const WATCH_MS = 100;
/** A second's worth. */
const WATCHES_KEPT = 10;
