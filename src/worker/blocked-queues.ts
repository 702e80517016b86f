import type { Admission } from '../execution/admission.ts';
import type { PoolKind } from '../execution/lane.ts';
import type { Lease } from '../store/store.ts';

/**
 * Queues whose next jobs are for a pool that is full: to claim from them would bring jobs that only wait here. They are
 * left alone until the pool has room, and then asked for as many jobs as it has room for. One that may hold jobs of other
 * lanes behind those is looked into once a second all the same.
 */
export class BlockedQueues {
  readonly #admission: Admission;
  readonly #blocks = new Map<string, Block>();

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  get size(): number {
    return this.#blocks.size;
  }

  /** Leases are given back: the queues of those that waited for a pool. */
  add(leases: readonly Lease[], now: number): void {
    for (const { queue, task } of leases) {
      const pool = this.#admission.poolOf(task);
      if (pool === null || this.#admission.room(pool) > 0) continue;
      const lookAt = this.#admission.isMixed(queue, pool) ? now + LOOK_MS : Number.POSITIVE_INFINITY;
      this.#blocks.set(queue, { pool, lookAt });
    }
  }

  clear(): void {
    this.#blocks.clear();
  }

  /** Some of them may be asked again; `parked` jobs wait for the room there is. */
  ready(parked: number, now: number): boolean {
    for (const block of this.#blocks.values()) if (this.#mayAsk(block, parked, now)) return true;
    return false;
  }

  /** Whom to ask, and for how many jobs at most. */
  ask({ queues, limit }: Question, parked: number, now: number): Question {
    const first: string[] = [];
    const rest: string[] = [];
    let room = 0;
    for (const queue of queues) {
      const block = this.#blocks.get(queue);
      if (block === undefined) rest.push(queue);
      else if (now >= block.lookAt) {
        this.#blocks.delete(queue);
        rest.push(queue);
      } else if (this.#mayAsk(block, parked, now)) {
        first.push(queue);
        room = Math.max(room, this.#admission.room(block.pool) - parked);
      }
    }
    return { queues: [...first, ...rest], limit: first.length === 0 ? limit : Math.min(limit, room) };
  }

  /** A queue that has no more, or other jobs next, blocks no longer. */
  answered({ queues, limit }: Question, leases: readonly Lease[]): void {
    if (leases.length < limit) for (const queue of queues) this.#blocks.delete(queue);
    for (const { queue, task } of leases) {
      const block = this.#blocks.get(queue);
      if (block !== undefined && this.#admission.poolOf(task) !== block.pool) this.#blocks.delete(queue);
    }
  }

  #mayAsk({ pool, lookAt }: Block, parked: number, now: number): boolean {
    return now >= lookAt || this.#admission.room(pool) > parked;
  }
}

export interface Question {
  readonly queues: readonly string[];
  readonly limit: number;
}

interface Block {
  readonly pool: PoolKind;
  /** When to look past what blocks it. */
  readonly lookAt: number;
}

const LOOK_MS = 1_000;
