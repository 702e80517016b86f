import { LongshoreError } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import type { Say } from './say.ts';

/** What goes wrong with one kind of request, told as it begins, each minute while it lasts, and when it is over. */
export class Trouble {
  readonly #what: string;
  readonly #say: Say;
  readonly #now: () => number;
  #fault: LongshoreError | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  #told = '';

  /** `what`: the beginning of a sentence, such as `Asking for jobs`. */
  constructor(what: string, say: Say, now: () => number) {
    this.#what = what;
    this.#say = say;
    this.#now = now;
  }

  get fault(): LongshoreError | null {
    return this.#fault;
  }

  failed(error: unknown, retryMs: number): void {
    const fault =
      error instanceof LongshoreError
        ? error
        : new LongshoreError('ENGINE_UNAVAILABLE', reasonOf(error), { cause: error });
    const isNew = this.#fault === null || this.#told !== fault.message;
    this.#fault = fault;
    if (!isNew && this.#now() - this.#toldAt < AGAIN_MS) return;
    this.#toldAt = this.#now();
    this.#told = fault.message;
    this.#say('warn', `${this.#what} fails, and is tried again: ${fault.message}`, {
      code: fault.code,
      retryMs: Math.round(retryMs),
    });
  }

  worked(): void {
    if (this.#fault === null) return;
    this.#fault = null;
    this.#say('info', `${this.#what} works again.`);
  }
}

const AGAIN_MS = 60_000;
