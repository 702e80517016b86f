import type { WorkerRecord } from '../store/store.ts';

/** Slots of each worker over the last hour: what the tuner allowed, and what was used of it. */
export interface SlotPoint {
  readonly at: number;
  readonly slots: number;
  readonly slotsUsed: number;
}

/** Workers kept apart; further ones are left out, the newest first. */
const WORKERS_MAX = 100;

export class SlotSeries {
  readonly #kept: number;
  readonly #series = new Map<string, SlotPoint[]>();

  /** `kept`: points of each worker. */
  constructor(kept: number) {
    this.#kept = kept;
  }

  /** Workers that are no longer there lose their points. */
  keep(at: number, workers: readonly WorkerRecord[]): void {
    const alive = workers.filter((worker) => worker.alive);
    const ids = new Set(workers.map(({ id }) => id));
    for (const id of this.#series.keys()) if (!ids.has(id)) this.#series.delete(id);
    for (const { id, slots, slotsUsed } of alive) {
      const series = this.#series.get(id) ?? [];
      if (series.length === 0 && this.#series.size >= WORKERS_MAX) continue;
      series.push({ at, slots, slotsUsed });
      if (series.length > this.#kept) series.shift();
      this.#series.set(id, series);
    }
  }

  /** Each worker's points, oldest first. */
  all(): { readonly id: string; readonly points: readonly SlotPoint[] }[] {
    return [...this.#series].map(([id, points]) => ({ id, points }));
  }
}
