import type { Outcome, OutcomeType } from '../core/outcome.ts';
import type { Running, TracedAttempt, Tracing } from '../core/tracing.ts';
import type { Lease } from '../store/store.ts';

/** The attempts of one worker that are traced, from their start until their outcome is stored. */
export class Traces {
  readonly #tracing: Tracing;
  readonly #workerId: string;
  readonly #running = new WeakMap<Lease, Running>();

  constructor(tracing: Tracing, workerId: string) {
    this.#tracing = tracing;
    this.#workerId = workerId;
  }

  start(lease: Lease, startedAt: number): Running | null {
    const { id, queue, task, attempt, meta, dueAt, claimedAt } = lease;
    const workerId = this.#workerId;
    const agoMs = performance.now() - startedAt;
    const traced: TracedAttempt = { id, queue, task, attempt, meta, dueAt, claimedAt, agoMs, workerId };
    const running = this.#tracing.run(traced);
    if (running !== null) this.#running.set(lease, running);
    return running;
  }

  /** `null`: the lease is lost. */
  ended(lease: Lease, outcome: Outcome | null, runMs: number): void {
    const running = this.#running.get(lease);
    if (running === undefined) return;
    const error = outcome !== null && 'error' in outcome ? outcome.error : null;
    running.ended(outcome?.type ?? 'released', error, runMs);
  }

  settled(lease: Lease, outcome: OutcomeType | 'lost'): void {
    this.#running.get(lease)?.settled(outcome);
  }
}
