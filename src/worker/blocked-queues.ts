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
  readonly #parkedFor: (pool: PoolKind) => number;
  readonly #blocks = new Map<string, Block>();
  #holds = false;

  /** `parkedFor`: jobs that wait here for a pool, and will take of its room first. */
  constructor(admission: Admission, parkedFor: (pool: PoolKind) => number) {
    this.#admission = admission;
    this.#parkedFor = parkedFor;
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

  /** When the next of them is to be looked into past what blocks it. */
  get lookAt(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { lookAt } of this.#blocks.values()) earliest = Math.min(earliest, lookAt);
    return earliest;
  }

  clear(): void {
    this.#blocks.clear();
    this.letGo();
  }

  /** Some of them may be asked again. */
  ready(now: number): boolean {
    for (const { pool, lookAt } of this.#blocks.values())
      if (now >= lookAt || this.#roomFor(pool) > 0) return true;
    return false;
  }

  /** Whom to ask, and for how many jobs at most. */
  ask({ queues, limit }: Question, now: number): Question {
    const first: string[] = [];
    const rest: string[] = [];
    let room = 0;
    for (const queue of queues) {
      const block = this.#blocks.get(queue);
      if (block === undefined) rest.push(queue);
      else if (now >= block.lookAt) {
        this.#blocks.delete(queue);
        rest.push(queue);
      } else {
        const roomFor = this.#roomFor(block.pool);
        if (roomFor <= 0) continue;
        first.push(queue);
        room = Math.max(room, roomFor);
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

  /**
   * There may be room in a pool: a place is held until the claim that asks for it is answered. Without, the worker that
   * ends a job there would be the first to claim each time, and all others would wait for ever.
   */
  hold(): void {
    for (const { pool } of this.#blocks.values()) {
      this.#admission.hold(pool);
      this.#holds = true;
    }
  }

  get holds(): boolean {
    return this.#holds;
  }

  letGo(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#admission.letGo();
  }

  /** Jobs that could start in it beside those that wait here. */
  #roomFor(pool: PoolKind): number {
    return this.#admission.room(pool) - this.#parkedFor(pool);
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
