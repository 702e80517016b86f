import type { Usage } from './protocol.ts';

/** What a job takes of its host, and what the host takes of memory. */
export class Meter {
  readonly #cpuMs: () => number;
  readonly #recycleBytes: number | null;
  #lookedAt = 0;
  #spent = false;

  constructor(cpuMs: () => number, recycleBytes: number | null) {
    this.#cpuMs = cpuMs;
    this.#recycleBytes = recycleBytes;
  }

  start(): { stop(): Usage } {
    const [cpu, wall] = [this.#cpuMs(), performance.now()];
    return { stop: () => ({ cpuMs: this.#cpuMs() - cpu, wallMs: performance.now() - wall }) };
  }

  /** Whether the host takes more memory than it should keep. Looked up now and then, since it costs a system call. */
  spent(): boolean {
    if (this.#recycleBytes === null || this.#spent) return this.#spent;
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = now;
    const { heapTotal, external } = process.memoryUsage();
    this.#spent = heapTotal + external > this.#recycleBytes;
    return this.#spent;
  }
}

const LOOK_MS = 20;
