import { LongshoreError } from '../../core/errors.ts';
import type { Topic } from '../notifier.ts';
import type { Connections } from './connection.ts';
import { channelOf, payloadOf } from './hints.ts';

/**
 * Tells other processes what was committed before, where the transaction did not tell by itself. A transaction that
 * notifies keeps all others that do from committing until its own commit is on the disk, and where many jobs end,
 * enqueues met one of these now and then. Nothing is lost with a notification: these commit without the disk.
 */
export class HintSender {
  readonly #connections: Connections;
  /** Names the store object in notifications. */
  readonly #sender: string;
  readonly #underWay = new Set<Promise<void>>();

  constructor(connections: Connections, sender: string) {
    this.#connections = connections;
    this.#sender = sender;
  }

  /** Never fails. Sent once more where the connection broke; otherwise it is left to polling. */
  send(topics: readonly Topic[]): void {
    const sent: Promise<void> = this.#send(topics)
      .catch((error: unknown) => (error instanceof LongshoreError ? undefined : this.#send(topics)))
      .catch(() => {})
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  /** Resolves when all is sent. */
  async quiet(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** A transaction of its own, of this statement alone: the setting ends with it. */
  async #send(topics: readonly Topic[]): Promise<void> {
    const values = [channelOf(this.#connections.place.schema), payloadOf(this.#sender, topics)];
    await this.#connections.use((lent) => lent.query(NOTIFY, values));
  }
}

const NOTIFY = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)";
