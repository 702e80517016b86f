import type { LockRequest } from '../lease-lock.ts';

interface Hold {
  readonly holder: string;
  readonly untilAt: number;
}

/** Named, expiring locks of one store. */
export class Locks {
  readonly #holds = new Map<string, Hold>();

  acquire({ name, holder, ttlMs }: LockRequest, now: number): boolean {
    const hold = this.#holds.get(name);
    if (hold !== undefined && hold.holder !== holder && hold.untilAt > now) return false;
    this.#holds.set(name, { holder, untilAt: now + ttlMs });
    return true;
  }

  release({ name, holder }: Pick<LockRequest, 'name' | 'holder'>): void {
    if (this.#holds.get(name)?.holder === holder) this.#holds.delete(name);
  }
}
