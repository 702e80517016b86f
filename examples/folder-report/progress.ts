import { SingleBar } from 'cli-progress';
import type { Longshore } from '../../src/index.ts';

/** A terminal is redrawn four times a second; where nobody watches, a line a second is enough. */
const BAR_MS = 250;
const LINE_MS = 1_000;

interface Counts {
  readonly ended: number;
  readonly failed: number;
  readonly total: number;
  readonly paused: boolean;
}

/**
 * Shows how far the run's queue is, on standard error: a bar on a terminal, plain lines elsewhere. The figures come
 * from the store, so they are right whichever processes work on the run. The total grows while files are still found.
 */
export class Progress {
  readonly #longshore: Longshore;
  readonly #queue: string;
  readonly #bar: SingleBar | null;
  #timer: NodeJS.Timeout | null = null;
  #showing: Promise<void> = Promise.resolve();

  constructor(longshore: Longshore, queue: string) {
    this.#longshore = longshore;
    this.#queue = queue;
    this.#bar = process.stderr.isTTY ? new SingleBar({ format: FORMAT, clearOnComplete: true }) : null;
  }

  start(): void {
    this.#bar?.start(1, 0, { note: '' });
    this.#timer = setInterval(() => this.#show(), this.#bar === null ? LINE_MS : BAR_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#showing;
    this.#bar?.stop();
  }

  #show(): void {
    // Progress is told, not promised: what goes wrong here goes wrong elsewhere too, and is reported there.
    this.#showing = this.#count().then(
      (counts) => this.#print(counts),
      () => undefined,
    );
  }

  async #count(): Promise<Counts> {
    const queues = await this.#longshore.queues.list();
    const counts = queues.find(({ name }) => name === this.#queue)?.counts;
    const { completed = 0, failed = 0, cancelled = 0 } = counts ?? {};
    const paused = queues.some(
      ({ name, pausedAt }) => pausedAt !== null && [this.#queue, '*'].includes(name),
    );
    const total = Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
    return { ended: completed + failed + cancelled, failed, total, paused };
  }

  #print({ ended, failed, total, paused }: Counts): void {
    const note = `${failed > 0 ? `, ${failed} failed` : ''}${paused ? ', the queue is PAUSED' : ''}`;
    if (this.#bar === null) {
      process.stderr.write(`${ended} of ${total} jobs have ended${note}\n`);
      return;
    }
    this.#bar.setTotal(Math.max(total, 1));
    this.#bar.update(ended, { note });
  }
}

const FORMAT = '{bar} {percentage}% | {value} of {total} jobs{note} | {duration} s';
