import type { AttemptError, Longshore } from '../longshore.ts';
import { type CellFault, faultOf } from './faults.ts';

/** Hears what becomes of a cell's jobs. Times are those of `performance.now()`. */
export class RunWatch {
  /** When each job that completed started and ended, by turns. */
  readonly #spans: number[] = [];
  readonly #running = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  readonly #stop: readonly (() => void)[];
  #fault: CellFault | null = null;
  #ended = 0;

  constructor(longshore: Longshore) {
    const threw = ({ error }: { readonly error: AttemptError }): void => this.#fail(faultOf(error, 'threw'));
    this.#stop = [
      longshore.on('job.started', ({ id }) => this.#running.set(id, performance.now())),
      longshore.on('job.completed', ({ id, runMs }) => this.#complete(id, runMs)),
      longshore.on('job.released', ({ id }) => this.#running.delete(id)),
      longshore.on('job.retried', threw),
      longshore.on('job.failed', threw),
      longshore.on('job.cancelled', () => this.#fail(fault('failed', 'a job was cancelled'))),
      longshore.on('job.snoozed', () => this.#fail(fault('snoozed', SNOOZED))),
    ];
  }

  /** The first thing that went wrong. */
  get fault(): CellFault | null {
    return this.#fault;
  }

  /** Jobs that completed. */
  get ended(): number {
    return this.#ended;
  }

  /** When the job started that has run longest; null while none runs. */
  get oldestStart(): number | null {
    for (const at of this.#running.values()) return at;
    return null;
  }

  /** A job runs for longer than it may. */
  hang(ms: number): void {
    this.#fail(fault('hung', `a job has not ended within ${ms / 1_000} s`));
  }

  /** Resolves when a job has ended, or one failed. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** `start` and `end` of every completed job. */
  *spans(): Generator<readonly [start: number, end: number]> {
    for (let at = 0; at < this.#spans.length; at += 2)
      yield [this.#spans[at] as number, this.#spans[at + 1] as number];
  }

  close(): void {
    for (const stop of this.#stop) stop();
  }

  #complete(id: string, runMs: number): void {
    const start = this.#running.get(id) ?? performance.now() - runMs;
    this.#running.delete(id);
    this.#spans.push(start, start + runMs);
    this.#ended += 1;
    this.#wake();
  }

  #fail(fault: CellFault): void {
    this.#fault ??= fault;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

const fault = (kind: CellFault['kind'], message: string): CellFault => ({ kind, message, stack: null });
const SNOOZED = 'its handler put the job off, with a sleep, a wait or a SnoozeError';
