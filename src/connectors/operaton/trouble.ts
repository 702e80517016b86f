import { formatDuration } from '../../core/duration.ts';
import { LongshoreError } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import type { Trouble } from '../../worker/trouble.ts';
import type { Tell } from './telling.ts';

/** The same trouble is told again after this time. */
const AGAIN_MS = 60_000;

/** Whether the engine takes what the worker sends. A change is told at once, what lasts once a minute. */
export class Troubles {
  readonly #tell: Tell;
  #current: (Trouble & { readonly since: number }) | null = null;
  #toldAt = 0;

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Null while all is well. */
  get current(): Trouble | null {
    return this.#current;
  }

  /** `error` null: the engine answered. */
  report(error: unknown): void {
    if (error === null) this.#recover();
    else this.#add(error);
  }

  #add(error: unknown): void {
    const code = error instanceof LongshoreError ? error.code : 'ENGINE_UNAVAILABLE';
    const message = reasonOf(error);
    const now = Date.now();
    const isNew = this.#current?.code !== code || now - this.#toldAt >= AGAIN_MS;
    this.#current = { since: this.#current?.since ?? now, code, message };
    if (!isNew) return;
    this.#toldAt = now;
    this.#tell('warn', { event: 'engine.failed', code }, `${message} The worker keeps trying.`);
  }

  #recover(): void {
    if (this.#current === null) return;
    const lasted = formatDuration(Date.now() - this.#current.since);
    this.#current = null;
    this.#tell('info', { event: 'engine.recovered' }, `Operaton answers again, after ${lasted}.`);
  }
}
