import { BATCH_CHARS_MAX, CHARS_OF, cut, sumOf } from '../../core/batch.ts';
import type { Work } from './transact.ts';
import type { VerbName } from './verbs.ts';

/**
 * How calls become statements. Verbs that take a list and answer with a list: adjacent calls of one of them and one time
 * are one work, up to a size; a call that is larger by itself becomes several, in one transaction like all of a group. A
 * parameter is a text, and the database takes none of a gigabyte, nor the driver one of half a gigabyte.
 */

/** Items of one statement, to bound its size. */
const ITEMS_MAX = 5_000;

/** How many characters a statement may have. */
export interface Sizes {
  /** Of several calls. */
  readonly together: number;
  /** Of a single call, which costs more divided. */
  readonly alone: number;
}

/** As JSON and in bytes, a text may be six times as large. */
export const SIZES: Sizes = { together: BATCH_CHARS_MAX, alone: 67_108_864 };

/** Where a call's items stand, in their order; null where the call has a work of its own. */
interface Part {
  readonly work: number;
  readonly items: { readonly from: number; readonly length: number } | null;
}

type Parts = readonly Part[];

interface Merged {
  readonly works: readonly Work[];
  /** Of each call. */
  readonly parts: readonly Parts[];
}

/** The works a group comes to, and what parts of them each call is. */
export function merge(group: readonly Work[], max: Sizes): Merged {
  const works: { verb: VerbName; input: unknown; now: number | undefined; chars?: number }[] = [];
  const add = ({ verb, now }: Work, items: readonly unknown[], chars: number): Part => {
    let last = works.at(-1);
    const before = last?.input as unknown[];
    const fits =
      last?.verb === verb &&
      last.now === now &&
      before.length + items.length <= ITEMS_MAX &&
      (last.chars ?? 0) + chars <= max.together;
    if (last === undefined || !fits) {
      last = { verb, input: [], now, chars: 0 };
      works.push(last);
    }
    const list = last.input as unknown[];
    const from = list.length;
    for (const item of items) list.push(item);
    last.chars = (last.chars ?? 0) + chars;
    return { work: works.length - 1, items: { from, length: items.length } };
  };
  const parts = group.map((call): Parts => {
    const charsOfItem = CHARS_OF[call.verb];
    if (charsOfItem === undefined) return [{ work: works.push(call) - 1, items: null }];
    const items = call.input as readonly never[];
    const pieces = items.length === 0 ? [items] : cut(items, charsOfItem, max.alone);
    return pieces.map((piece) => add(call, piece, sumOf(piece, charsOfItem)));
  });
  return { works, parts };
}

/** What each call is answered with. */
export function split(parts: readonly Parts[], values: readonly unknown[]): unknown[] {
  return parts.map((pieces) => {
    const answers = pieces.map(({ work, items }) => {
      const value = values[work];
      return items === null ? value : (value as unknown[]).slice(items.from, items.from + items.length);
    });
    return answers.length === 1 ? answers[0] : (answers as unknown[][]).flat();
  });
}
