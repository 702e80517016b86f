import { formatDuration } from '../../core/duration.ts';
import { LongshoreError } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import type { Say } from './say.ts';

interface TroubleOptions {
  readonly say: Say;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Lines about it, made of the fault's message, and of how long it lasted. */
  readonly failing: (message: string) => string;
  readonly over: (lasted: string) => string;
  /** What makes a fault another one, which is told at once. */
  readonly differsBy: 'code' | 'message';
}

/** What goes wrong with one kind of request, told as it begins, each minute while it lasts, and when it is over. */
export class Trouble {
  readonly #options: TroubleOptions;
  #fault: LongshoreError | null = null;
  #since = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #told = '';

  constructor(options: TroubleOptions) {
    this.#options = options;
  }

  /** Null while all is well. */
  get fault(): LongshoreError | null {
    return this.#fault;
  }

  /** Ms since the epoch, where there is a fault. */
  get since(): number {
    return this.#since;
  }

  failed(error: unknown, retryMs?: number): void {
    const { say, now, failing, differsBy } = this.#options;
    const fault =
      error instanceof LongshoreError
        ? error
        : new LongshoreError('ENGINE_UNAVAILABLE', reasonOf(error), { cause: error });
    const isNew = this.#fault === null || this.#told !== fault[differsBy];
    if (this.#fault === null) this.#since = now();
    this.#fault = fault;
    if (!isNew && now() - this.#toldAt < AGAIN_MS) return;
    this.#toldAt = now();
    this.#told = fault[differsBy];
    const retry = retryMs === undefined ? {} : { retryMs: Math.round(retryMs) };
    say('warn', failing(fault.message), { event: 'engine.failed', code: fault.code, ...retry });
  }

  worked(): void {
    if (this.#fault === null) return;
    this.#fault = null;
    const { say, now, over } = this.#options;
    say('info', over(formatDuration(now() - this.#since)), { event: 'engine.recovered' });
  }
}

const AGAIN_MS = 60_000;
