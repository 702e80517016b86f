import type { CancelTimer, Clock } from '../../../src/core/clock.ts';
import type { Job } from './records.ts';

/** Where the jobs wait: those that may be given out in lines by type, those that are locked or back off for their time. */
export class Lines {
  readonly #clock: Clock;
  readonly #onReady: (type: string) => void;
  readonly #onTimeUp: (job: Job) => void;
  readonly #ready = new Map<string, Set<Job>>();
  readonly #timers = new Map<Job, CancelTimer>();

  constructor(clock: Clock, onReady: (type: string) => void, onTimeUp: (job: Job) => void) {
    this.#clock = clock;
    this.#onReady = onReady;
    this.#onTimeUp = onTimeUp;
  }

  /** Puts a job where it belongs by its state. */
  place(job: Job): void {
    this.#timers.get(job)?.();
    this.#timers.delete(job);
    const line = this.#ready.get(job.type) ?? new Set<Job>();
    this.#ready.set(job.type, line);
    if (job.state === 'CREATED') {
      line.add(job);
      this.#onReady(job.type);
      return;
    }
    line.delete(job);
    if (job.state !== 'ACTIVATED' && job.state !== 'BACKOFF') return;
    const waitMs = job.until - this.#clock.now();
    this.#timers.set(
      job,
      this.#clock.after(waitMs, () => this.#onTimeUp(job)),
    );
  }

  /** The oldest ones that may be given out. */
  first(type: string, max: number): Job[] {
    const found: Job[] = [];
    for (const job of this.#ready.get(type) ?? []) {
      if (found.length >= max) break;
      found.push(job);
    }
    return found;
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }
}
