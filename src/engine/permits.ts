import type { LongshoreError } from '../core/errors.ts';
import type { Slots } from '../tuner/slots.ts';
import type { Permit } from './work.ts';

/**
 * The slots of a runner. Some are taken by its executor as it starts work, others beforehand, as permits, by an engine that wants
 * to know of a place before it asks for work. All slots are equal: a permit that comes with its work is put to the slots `handed`
 * over, which the executor takes first.
 */
export class Permits implements Slots {
  readonly #slots: Slots;
  readonly #onRoom: () => void;
  /** Those that are out. */
  readonly #out = new Set<Permit>();
  readonly #line = new Set<Waiter>();
  #handed = 0;
  #giving = false;
  #closed: LongshoreError | null = null;

  /** `onRoom`: a slot became free, or there are more. */
  constructor(slots: Slots, onRoom: () => void) {
    this.#slots = slots;
    this.#onRoom = onRoom;
  }

  get total(): number {
    return this.#slots.total;
  }

  get used(): number {
    return this.#slots.used;
  }

  /** Free, and nobody waits for them. */
  get free(): number {
    return Math.max(0, this.total - this.used - this.#line.size);
  }

  start(): void {
    this.#slots.start(() => this.#give());
  }

  /** Everything that is out comes back. */
  stop(): void {
    for (const permit of this.#out) permit.release();
    this.keep(0);
    this.#slots.stop();
  }

  /** No more are given out. */
  close(reason: LongshoreError): void {
    this.#closed = reason;
    for (const waiter of this.#line) waiter.refuse(reason);
  }

  /** The executor's. It is never behind those in the line: what it has to start was taken from the engine already. */
  tryReserve(): boolean {
    if (this.#handed === 0) return this.#slots.tryReserve();
    this.#handed -= 1;
    return true;
  }

  release(): void {
    this.#slots.release();
    if (this.#giving) return;
    this.#giving = true;
    // Later, so that the executor, which releases one and then starts what waits in it, is first.
    queueMicrotask(() => {
      this.#giving = false;
      this.#give();
    });
  }

  tryAcquire(): Permit | null {
    if (this.#closed !== null || this.#line.size > 0 || !this.#slots.tryReserve()) return null;
    return this.#permit();
  }

  /** In the order of the calls. Rejects with the signal's reason, or the one of `close`. */
  acquire(signal?: AbortSignal): Promise<Permit> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed !== null) return Promise.reject(this.#closed);
    const permit = this.tryAcquire();
    if (permit !== null) return Promise.resolve(permit);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#line.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        admit: (admitted) => {
          leave();
          resolve(admitted);
        },
        refuse: (reason) => {
          leave();
          reject(reason);
        },
      };
      const onAbort = (): void => waiter.refuse(signal?.reason);
      signal?.addEventListener('abort', onAbort);
      this.#line.add(waiter);
    });
  }

  /** Its work is about to wait in the executor. One that was released before counts for nothing: that work waits for a slot. */
  hand(permit: Permit): void {
    if (this.#out.delete(permit)) this.#handed += 1;
  }

  /** No more than `waiting` works have not begun; slots handed over for others, which found a way without, are given back. */
  keep(waiting: number): void {
    for (; this.#handed > waiting; this.#handed -= 1) this.release();
  }

  #permit(): Permit {
    const permit: Permit = {
      release: () => {
        if (this.#out.delete(permit)) this.release();
      },
    };
    this.#out.add(permit);
    return permit;
  }

  #give(): void {
    for (const waiter of this.#line) {
      if (!this.#slots.tryReserve()) break;
      waiter.admit(this.#permit());
    }
    this.#onRoom();
  }
}

interface Waiter {
  admit(permit: Permit): void;
  refuse(reason: unknown): void;
}
