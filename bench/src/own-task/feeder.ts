import type { AnyTask, Longshore } from '../longshore.ts';

/** Keeps enough jobs in the queue that the worker never looks for one in vain. Inputs come by turns. */
export class Feeder {
  readonly #longshore: Longshore;
  readonly #task: AnyTask;
  readonly #inputs: readonly unknown[];
  #enqueued = 0;
  #underWay: Promise<void> | null = null;
  #error: unknown = null;

  constructor(longshore: Longshore, task: AnyTask, inputs: readonly unknown[]) {
    this.#longshore = longshore;
    this.#task = task;
    this.#inputs = inputs;
  }

  /** Jobs in the store. */
  get enqueued(): number {
    return this.#enqueued;
  }

  /** Rejects with INPUT_INVALID and what else enqueueing rejects with. */
  async add(jobs: number): Promise<void> {
    for (let left = jobs; left > 0; left -= BATCH) {
      const inputs = Array.from({ length: Math.min(BATCH, left) }, (_, at) => this.#input(at));
      await this.#longshore.enqueueMany(this.#task, inputs);
      this.#enqueued += inputs.length;
    }
  }

  /** Adds as many as there are to be at least, in the background. Throws what went wrong the last time. */
  keep(enough: number, ended: number): void {
    if (this.#error !== null) throw this.#error;
    const left = this.#enqueued - ended;
    if (left >= enough || this.#underWay !== null) return;
    this.#underWay = this.add(2 * enough - left)
      .catch((error: unknown) => {
        this.#error = error;
      })
      .finally(() => {
        this.#underWay = null;
      });
  }

  /** Resolves when nothing is being added any more. */
  async rest(): Promise<void> {
    await this.#underWay;
    if (this.#error !== null) throw this.#error;
  }

  #input(at: number): unknown {
    return this.#inputs[(this.#enqueued + at) % this.#inputs.length];
  }
}

const BATCH = 500;
