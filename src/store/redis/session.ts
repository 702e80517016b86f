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
  readonly #scripts: Scripts;
  readonly #known: Readonly<Record<NameKind, Map<number, string>>>;

  constructor(scripts: Scripts) {
    this.#scripts = scripts;
    this.#known = { queue: new Map([[0, '*']]), task: new Map() };
  }

  /** Makes sure that `name` knows these. */
  async learn(kind: NameKind, numbers: Iterable<number>): Promise<void> {
    const known = this.#known[kind];
    const unknown = [...new Set(numbers)].filter((number) => !known.has(number));
    if (unknown.length === 0) return;
    const { values } = await this.#scripts.run('names', undefined, [kind, ...unknown.map(String)]);
    for (const [index, name] of (values[0] as Buffer[]).entries())
      if (name.length > 0) known.set(unknown[index] as number, name.toString());
  }

  /** A name that the store lost is said to be so; no task has such a name. */
  name(kind: NameKind, number: number): string {
    return this.#known[kind].get(number) ?? `(lost name of ${kind} ${number})`;
  }
}
