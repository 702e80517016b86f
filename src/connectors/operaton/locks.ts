import { meaningOf } from './faults.ts';
import type { Held } from './held.ts';
import type { Rest } from './rest.ts';

/** Extends the locks of tasks every third of their time. A lock that the engine does not extend is lost, and the handler's signal aborts. */
export interface LocksMeans {
  readonly rest: Rest;
  readonly workerId: string;
  readonly onTrouble: (error: unknown) => void;
}

export class Locks {
  readonly #means: LocksMeans;
  readonly #timers = new Map<Held, NodeJS.Timeout>();

  constructor(means: LocksMeans) {
    this.#means = means;
  }

  add(held: Held): void {
    this.#timers.set(
      held,
      setInterval(() => this.#extend(held), held.topic.lockMs / 3),
    );
  }

  remove(held: Held): void {
    clearInterval(this.#timers.get(held));
    this.#timers.delete(held);
  }

  async #extend(held: Held): Promise<void> {
    const { rest, workerId, onTrouble } = this.#means;
    const path = `/external-task/${encodeURIComponent(held.id)}/extendLock`;
    try {
      const answer = await rest.ask(path, { body: { workerId, newDuration: held.topic.lockMs } });
      if (answer.ok || !this.#timers.has(held)) return;
      if (meaningOf(answer.refusal) === 'gone') held.lose(answer.refusal.message);
    } catch (error) {
      onTrouble(error);
    }
  }
}
