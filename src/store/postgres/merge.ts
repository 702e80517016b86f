import type { Work } from './transact.ts';
import type { VerbName } from './verbs.ts';

/** Verbs that take a list and answer with a list: adjacent calls of one of them and one time are one. */
const MERGING: ReadonlySet<VerbName> = new Set<VerbName>(['enqueue', 'settle', 'annotate']);

/** Items of one statement, to bound its size. */
const ITEMS_MAX = 5_000;

/** Where a call's items stand; `from` is null where the call has a work of its own. */
interface Part {
  readonly work: number;
  readonly from: number | null;
  readonly length: number;
}

/** The works a group comes to, and what part of them each call is. */
export function merge(group: readonly Work[]): { readonly works: Work[]; readonly parts: Part[] } {
  const works: Work[] = [];
  const parts = group.map((call): Part => {
    const { verb, input, now } = call;
    const list = MERGING.has(verb) ? (input as readonly unknown[]) : null;
    const last = works.at(-1);
    const before = last?.input as unknown[];
    if (list === null) works.push(call);
    else if (last?.verb !== verb || last.now !== now || before.length + list.length > ITEMS_MAX)
      works.push({ verb, input: [...list], now });
    else {
      const from = before.length;
      before.push(...list);
      return { work: works.length - 1, from, length: list.length };
    }
    return { work: works.length - 1, from: list === null ? null : 0, length: list?.length ?? 0 };
  });
  return { works, parts };
}

/** What each call is answered with. */
export function split(parts: readonly Part[], values: readonly unknown[]): unknown[] {
  return parts.map(({ work, from, length }) => {
    const value = values[work];
    return from === null ? value : (value as unknown[]).slice(from, from + length);
  });
}
