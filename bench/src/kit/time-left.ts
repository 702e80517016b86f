import type { CellPlan } from './workload.ts';

/** How long the rest takes: each cell as it took before, and others as trials took so far on average. */
export class TimeLeft {
  readonly #left: Map<string, number>;
  readonly #took = new Map<string, number>();
  #sum = 0;
  #trials = 0;

  constructor(plans: readonly CellPlan[], roundsDone: (plan: CellPlan) => number) {
    this.#left = new Map(plans.map((plan) => [plan.id, Math.max(0, plan.rounds - roundsDone(plan))]));
  }

  /** Trials to come. */
  get trials(): number {
    return [...this.#left.values()].reduce((sum, count) => sum + count, 0);
  }

  done({ id }: CellPlan, tookMs: number): void {
    this.#left.set(id, Math.max(0, (this.#left.get(id) ?? 0) - 1));
    this.#took.set(id, tookMs);
    this.#sum += tookMs;
    this.#trials += 1;
  }

  /** Null before the first trial. */
  seconds(): number | null {
    if (this.#trials === 0) return null;
    const average = this.#sum / this.#trials;
    let ms = 0;
    for (const [id, trials] of this.#left) ms += trials * (this.#took.get(id) ?? average);
    return Math.round(ms / 1_000);
  }

  /** As in `3:20 left,`. */
  text(): string {
    const seconds = this.seconds();
    if (seconds === null) return '';
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} left,`;
  }
}
