import { monotonicMs } from '../pacer.ts';
import type { Graph } from './graph.ts';

/**
 * When the handlers of each run's steps began and ended, and how often they ran, on the machine's monotonic clock. Of a step
 * with many jobs the first begin and the last end are kept.
 */
export class Marks {
  readonly report: MarksReport;
  readonly #steps: number;
  readonly #expected: number;
  #ran = 0;
  #lastAt = monotonicMs();
  readonly #all = Promise.withResolvers<void>();
  readonly #watchdog: NodeJS.Timeout;

  /** `expected`: handlers that are to run in all. */
  constructor(runs: number, steps: number, expected: number) {
    this.#steps = steps;
    this.#expected = expected;
    this.report = {
      begins: new Float64Array(runs * steps).fill(Number.NaN),
      ends: new Float64Array(runs * steps).fill(Number.NaN),
      times: new Uint32Array(runs * steps),
      strangers: 0,
    };
    this.#watchdog = setInterval(() => {
      if (monotonicMs() - this.#lastAt > STALL_MS) this.#finish();
    }, 500);
  }

  /** Resolves when all ran, or when nothing did for 30 s: then runs are lost, and the check will tell. */
  get allRan(): Promise<void> {
    return this.#all.promise;
  }

  begin(run: number, step: number): void {
    const { begins } = this.report;
    const at = run * this.#steps + step;
    if (Number.isNaN(begins[at])) begins[at] = monotonicMs();
  }

  end(run: number, step: number): void {
    const { ends, times } = this.report;
    const at = run * this.#steps + step;
    if (times[at] === undefined) {
      this.report.strangers += 1;
      return;
    }
    this.#lastAt = monotonicMs();
    ends[at] = this.#lastAt;
    times[at] += 1;
    this.#ran += 1;
    if (this.#ran === this.#expected) this.#finish();
  }

  #finish(): void {
    clearInterval(this.#watchdog);
    this.#all.resolve();
  }
}

export interface MarksReport {
  /** By run, then by step; NaN where it did not run. */
  readonly begins: Float64Array;
  readonly ends: Float64Array;
  readonly times: Uint32Array;
  /** Handlers of a run or step that nobody started. */
  strangers: number;
}

const STALL_MS = 30_000;

/** From a step's last parent's end to its own begin, ms, of all runs from `from` on. */
export function edgesOf({ begins, ends }: MarksReport, graph: Graph, from: number): number[] {
  const edges: number[] = [];
  for (let at = from * graph.length; at < begins.length; at += graph.length)
    for (const [step, { after }] of graph.entries()) {
      const began = begins[at + step] as number;
      const before = after.map((parent) => ends[at + parent] as number).filter((end) => !Number.isNaN(end));
      if (before.length > 0 && !Number.isNaN(began)) edges.push(began - Math.max(...before));
    }
  return edges;
}

/** When the last step of a run ended. */
export function endOf({ ends }: MarksReport, graph: Graph, run: number): number {
  const at = run * graph.length;
  return Math.max(...graph.map((_, step) => ends[at + step] as number).filter((end) => !Number.isNaN(end)));
}
