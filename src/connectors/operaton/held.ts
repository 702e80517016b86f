import { LongshoreError } from '../../core/errors.ts';
import type { HeldLock } from '../../engine/keeper.ts';
import type { ExternalTask } from './external-task.ts';
import type { CheckedTopic } from './options.ts';

/** A task whose lock this worker holds, as far as it knows: from the answer that brought it until its end is told. */
export class Held {
  readonly task: ExternalTask;
  readonly topic: CheckedTopic;
  readonly #lock: HeldLock;
  readonly #lost = new AbortController();

  constructor(task: ExternalTask, topic: CheckedTopic, lock: HeldLock) {
    this.task = task;
    this.topic = topic;
    this.#lock = lock;
    lock.signal.addEventListener('abort', () => this.lose('the engine does not extend it.'));
  }

  get id(): string {
    return this.task.id;
  }

  /** Aborts when the lock is lost, with an error of the code LEASE_LOST. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  get isLost(): boolean {
    return this.#lost.signal.aborted;
  }

  lose(reason: string): void {
    if (this.isLost) return;
    this.#lost.abort(
      new LongshoreError(
        'LEASE_LOST',
        `The lock of external task ${this.id} (topic ${this.task.topicName}) is lost: ${reason}`,
        { details: { id: this.id, topic: this.task.topicName } },
      ),
    );
  }

  /** As `release`, and resolves when no extension is under way: it would overwrite the time until the task is due again. */
  settle(): Promise<void> {
    return this.#lock.settle();
  }

  /** Its lock is extended no longer. Idempotent. */
  release(): void {
    this.#lock.release();
  }
}
