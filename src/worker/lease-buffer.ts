import type { Admission } from '../execution/admission.ts';
import type { PoolKind } from '../execution/lane.ts';
import type { Lease } from '../store/store.ts';
import { LeaseLine } from './lease-line.ts';

/**
 * Leases that wait to be started, first in first out for each lane. Those whose pool is full are *parked*: they let the
 * jobs of other lanes pass, hold no slot, and are the next ones as soon as their pool has room.
 */
export class LeaseBuffer {
  /** Null: no job of this worker can have to wait for a pool. */
  readonly #admission: Admission | null;
  readonly #line = new LeaseLine();
  readonly #parked = new Map<PoolKind, LeaseLine>();

  constructor(admission: Admission | null) {
    this.#admission = admission;
  }

  get length(): number {
    return this.#line.length + this.parked;
  }

  get parked(): number {
    if (this.#parked.size === 0) return 0;
    let count = 0;
    for (const { length } of this.#parked.values()) count += length;
    return count;
  }

  /** Those that wait for this pool. */
  parkedFor(pool: PoolKind): number {
    return this.#parked.get(pool)?.length ?? 0;
  }

  add(leases: readonly Lease[]): void {
    this.#line.add(leases);
  }

  /** One that was taken and did not start. It is the next one of its lane. */
  putBack(lease: Lease): void {
    const pool = this.#admission?.poolOf(lease.task) ?? null;
    (pool === null ? this.#line : this.#lineFor(pool)).putBack(lease);
  }

  /** The next one that could start now. */
  peek(): Lease | undefined {
    return this.#next().peek();
  }

  /** Takes what `peek` shows. */
  take(): Lease | undefined {
    return this.#next().take();
  }

  takeAll(): Lease[] {
    return this.#lines().flatMap((line) => line.takeAll());
  }

  all(): Lease[] {
    return this.#lines().flatMap((line) => line.all());
  }

  some(fits: (lease: Lease) => boolean): boolean {
    return this.#lines().some((line) => line.some(fits));
  }

  /** Forgets the leases for which `unwanted` holds, and returns them. */
  drop(unwanted: (lease: Lease) => boolean): Lease[] {
    return this.#lines().flatMap((line) => line.drop(unwanted));
  }

  /** The queues of those that are parked. */
  parkedQueues(): ReadonlySet<string> {
    const queues = new Set<string>();
    for (const line of this.#parked.values()) for (const { queue } of line.all()) queues.add(queue);
    return queues;
  }

  /** Where each line that has leases stands, to tell later how fast it moves. */
  pace(): Pace {
    const lines = this.#lines().filter(({ length }) => length > 0);
    return new Map(lines.map((line) => [line, { taken: line.taken, fills: line.fills }]));
  }

  /** How many leases started since that wait for no pool; null where none of these waits, or none waited for a while. */
  moved(since: Pace): number | null {
    return this.#line.length > 0 ? movedIn(this.#line, since) : null;
  }

  /** Takes those out that would wait for longer than `times` the time since `since`, as fast as their line moved in it. */
  takeSlow(since: Pace, times: number): Lease[] {
    return this.#lines().flatMap((line) => {
      const moved = movedIn(line, since);
      return moved === null ? [] : line.takeAll(Math.floor(moved * times));
    });
  }

  /** The line whose turn it is, its head startable. Parks what is in the way. */
  #next(): LeaseLine {
    const line = this.#line;
    const admission = this.#admission;
    if (admission === null) return line;
    for (const [pool, parked] of this.#parked)
      if (parked.length > 0 && hasRoom(admission, pool, parked.peek())) return parked;
    for (let lease = line.peek(); lease !== undefined; lease = line.peek()) {
      const pool = admission.poolOf(lease.task);
      if (pool === null || hasRoom(admission, pool, lease)) break;
      line.take();
      this.#lineFor(pool).add([lease]);
    }
    return line;
  }

  #lineFor(pool: PoolKind): LeaseLine {
    let parked = this.#parked.get(pool);
    if (parked === undefined) {
      parked = new LeaseLine();
      this.#parked.set(pool, parked);
    }
    return parked;
  }

  #lines(): LeaseLine[] {
    return [...this.#parked.values(), this.#line];
  }
}

export type Pace = ReadonlyMap<LeaseLine, { readonly taken: number; readonly fills: number }>;

/**
 * How many leases the line gave since then. Null for one that had none for a while, since it gave as many as came: its
 * pace says nothing about those it has now, which may have arrived a moment ago.
 */
function movedIn(line: LeaseLine, since: Pace): number | null {
  const then = since.get(line);
  if (then === undefined || then.fills !== line.fills) return null;
  // Less than nothing, where more were put back than taken.
  return Math.max(0, line.taken - then.taken);
}

/** For the lease, in its pool. */
function hasRoom(admission: Admission, pool: PoolKind, lease: Lease | undefined): boolean {
  return admission.room(pool) > 0 || (lease !== undefined && admission.early(lease.task));
}
