import { type HostSlate, type PoolSlate, SLATE_BYTES } from './slate.ts';

/** The slate of a thread: shared memory. */
export type SlateMemory = SharedArrayBuffer;

const HEAD_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;
/** Where in the head: jobs that may begin, and bytes that are written. */
const EARLY = 0;
const WRITTEN = 1;

export class PoolMemorySlate implements PoolSlate {
  readonly memory: SlateMemory = new SharedArrayBuffer(HEAD_BYTES + SLATE_BYTES);
  readonly #head = new Int32Array(this.memory, 0, 2);
  readonly #lines = Buffer.from(this.memory, HEAD_BYTES);
  #read = 0;

  open(early: number): void {
    this.#read = 0;
    Atomics.store(this.#head, WRITTEN, 0);
    Atomics.store(this.#head, EARLY, early);
  }

  takeBack(): number {
    return Atomics.exchange(this.#head, EARLY, 0);
  }

  read(): string {
    const written = Atomics.load(this.#head, WRITTEN);
    if (written === this.#read) return '';
    const text = this.#lines.toString('utf8', this.#read, written);
    this.#read = written;
    return text;
  }

  close(): void {}
}

export class HostMemorySlate implements HostSlate {
  readonly #head: Int32Array;
  readonly #lines: Buffer;
  #written = 0;

  constructor(memory: SlateMemory) {
    this.#head = new Int32Array(memory, 0, 2);
    this.#lines = Buffer.from(memory, HEAD_BYTES);
  }

  open(): void {
    this.#written = 0;
  }

  begin(): boolean {
    for (;;) {
      const early = Atomics.load(this.#head, EARLY);
      if (early === 0) return false;
      if (Atomics.compareExchange(this.#head, EARLY, early, early - 1) === early) return true;
    }
  }

  write(line: string): boolean {
    const bytes = Buffer.byteLength(line);
    if (this.#written + bytes > SLATE_BYTES) return false;
    this.#written += this.#lines.write(line, this.#written);
    // The pool looks no further than this says.
    Atomics.store(this.#head, WRITTEN, this.#written);
    return true;
  }
}
