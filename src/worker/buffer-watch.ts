import type { CancelTimer, Clock } from '../core/clock.ts';
import type { Lease } from '../store/store.ts';
import type { Slots } from '../tuner/slots.ts';
import type { BlockedQueues } from './blocked-queues.ts';
import type { ClaimPace } from './claim-pace.ts';
import type { LeaseBuffer } from './lease-buffer.ts';
import type { Prefetch } from './prefetch.ts';

/**
 * Jobs that wait in a worker behind slow ones are for other workers. Looked at every 100 ms while jobs wait: those that
 * would wait for more than a second, at the pace of the last 100 ms, go back. A line that ran empty meanwhile was not slow.
 * Where slots are free, the pace says how many may be claimed at a time (claim-pace.ts).
 */
export class BufferWatch {
  readonly #options: BufferWatchOptions;
  #cancel: CancelTimer | null = null;

  constructor(options: BufferWatchOptions) {
    this.#options = options;
  }

  /** Begins to watch where jobs wait; goes on by itself. */
  look(): void {
    const { buffer, blocked, clock, prefetch, slots, pace, release, turn } = this.#options;
    if (this.#cancel !== null || buffer.length === 0) return;
    const since = buffer.pace();
    const began = clock.now();
    this.#cancel = clock.after(WATCH_MS, () => {
      this.#cancel = null;
      // A handler that holds the event loop makes it late.
      const tookMs = Math.max(WATCH_MS, clock.now() - began);
      const moved = buffer.moved(since);
      if (moved !== null && slots.used < slots.total) pace.observe(moved, tookMs, prefetch.runMs);
      if (moved === 0) prefetch.observeStall();
      const leases = buffer.takeSlow(since, KEPT_MS / tookMs);
      blocked?.add(leases, clock.now());
      if (leases.length > 0) release(leases);
      this.look();
      // The pace may have held a claim back, and jobs that start and go on bring no turn.
      turn();
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
  readonly slots: Slots;
  readonly pace: ClaimPace;
  readonly clock: Clock;
  readonly release: (leases: readonly Lease[]) => void;
  readonly turn: () => void;
}

const WATCH_MS = 100;
const KEPT_MS = 1_000;
