import type { Lease } from '../store/store.ts';

/** Leases in a line, first in first out, without moving the array at each take. */
export class LeaseLine {
  /** Leases taken from it so far. */
  taken = 0;
  /** How often leases were added while it was empty. */
  fills = 0;
  #leases: Lease[] = [];
  #head = 0;

  get length(): number {
    return this.#leases.length - this.#head;
  }

  add(leases: readonly Lease[]): void {
    if (this.length === 0) this.fills += 1;
    if (this.#head > 0) {
      this.#leases = this.#leases.slice(this.#head);
      this.#head = 0;
    }
    this.#leases.push(...leases);
  }

  peek(): Lease | undefined {
    return this.#leases[this.#head];
  }

  take(): Lease | undefined {
    const lease = this.#leases[this.#head];
    if (lease !== undefined) {
      this.#head += 1;
      this.taken += 1;
    }
    return lease;
  }

  /** To the front: it was taken for nothing. */
  putBack(lease: Lease): void {
    this.taken -= 1;
    if (this.#head === 0) {
      this.#leases.unshift(lease);
      return;
    }
    this.#head -= 1;
    this.#leases[this.#head] = lease;
  }

  /** All but the first `kept`. */
  takeAll(kept = 0): Lease[] {
    const leases = this.#leases.slice(this.#head + kept);
    this.#leases = this.#leases.slice(this.#head, this.#head + kept);
    this.#head = 0;
    return leases;
  }

  all(): Lease[] {
    return this.#leases.slice(this.#head);
  }

  some(fits: (lease: Lease) => boolean): boolean {
    return this.#leases.some((lease, index) => index >= this.#head && fits(lease));
  }

  /** Forgets the leases for which `unwanted` holds, and returns them. */
  drop(unwanted: (lease: Lease) => boolean): Lease[] {
    const leases = this.takeAll();
    this.#leases = leases.filter((lease) => !unwanted(lease));
    return leases.length === this.#leases.length ? [] : leases.filter(unwanted);
  }
}
