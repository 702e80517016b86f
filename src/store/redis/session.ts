import type { Connection } from './connection.ts';
import type { Scripts } from './scripts.ts';
import type { WholeBatches } from './whole.ts';

/** What a verb works with: it calls scripts, and knows the names behind the numbers in records. */
export interface Session {
  readonly scripts: Scripts;
  readonly names: Names;
  readonly wholes: WholeBatches;
}

export type NameKind = 'queue' | 'task';

/** Names of queues and tasks by their numbers, which never change: each is asked for once. */
export class Names {
  readonly #connection: Connection;
  readonly #base: string;
  readonly #known: Readonly<Record<NameKind, Map<number, string>>>;

  constructor(connection: Connection, base: string) {
    this.#connection = connection;
    this.#base = base;
    this.#known = { queue: new Map([[0, '*']]), task: new Map() };
  }

  /** Makes sure that `name` knows these. */
  async learn(kind: NameKind, numbers: Iterable<number>): Promise<void> {
    const known = this.#known[kind];
    const unknown = [...new Set(numbers)].filter((number) => !known.has(number));
    if (unknown.length === 0) return;
    const reply = await this.#connection.send(['HMGET', `${this.#base}${kind}Names`, ...unknown.map(String)]);
    for (const [index, name] of (reply as (Buffer | null)[]).entries())
      if (name !== null) known.set(unknown[index] as number, name.toString());
  }

  name(kind: NameKind, number: number): string {
    return this.#known[kind].get(number) ?? '';
  }
}
