import type { AttemptError } from './errors.ts';
import type { LogLine } from './job.ts';
import type { Outcome } from './outcome.ts';

/**
 * How large a batch may get by itself. Workers cut what they write, and stores put the calls of a turn together, up to
 * BATCH_CHARS_MAX: every limit of a server, a driver or a text lies far above, and more in one call gains nothing. A batch
 * that a caller made is never cut here, since it is one transaction.
 *
 * Sizes are counted in characters, which take no time to count and 1 to 3 bytes each in UTF-8.
 */
export const BATCH_CHARS_MAX = 4_194_304;

/** An id, a token, names and what stands around them. */
const ITEM_CHARS = 200;

export function charsOfSpec({ input }: { readonly input: string | null }): number {
  return ITEM_CHARS + (input?.length ?? 0);
}

export function charsOfSettlement({ outcome }: { readonly outcome: Outcome }): number {
  if (outcome.type === 'completed') return ITEM_CHARS + (outcome.result?.length ?? 0);
  return ITEM_CHARS + ('error' in outcome ? charsOfError(outcome.error) : 0);
}

export function charsOfNote({ progress, logs = [] }: NoteLike): number {
  let chars = ITEM_CHARS + (progress?.length ?? 0);
  for (const line of logs) chars += charsOfLine(line);
  return chars;
}

export function charsOfLine({ message, data }: Pick<LogLine, 'message' | 'data'>): number {
  return ITEM_CHARS + message.length + (data?.length ?? 0);
}

interface NoteLike {
  readonly progress?: string | null;
  readonly logs?: readonly LogLine[];
}

function charsOfError(error: AttemptError | null): number {
  return error === null ? 0 : error.message.length + (error.stack?.length ?? 0);
}

/** By the verb that takes such items; others take no payloads in lists. */
export const CHARS_OF: Readonly<Record<string, ((item: never) => number) | undefined>> = {
  enqueue: charsOfSpec,
  settle: charsOfSettlement,
  annotate: charsOfNote,
};

/** How many characters a call of a verb has. */
export function charsOfCall(verb: string, input: unknown): number {
  const charsOf = CHARS_OF[verb];
  return charsOf === undefined ? 0 : sumOf(input as readonly never[], charsOf);
}

export function sumOf<Item>(items: readonly Item[], charsOf: (item: Item) => number): number {
  let sum = 0;
  for (const item of items) sum += charsOf(item);
  return sum;
}

/** How many items from `from` on are at most `max` characters together; one at least. */
export function fitting<Item>(
  items: readonly Item[],
  charsOf: (item: Item) => number,
  { from = 0, max = BATCH_CHARS_MAX }: { readonly from?: number; readonly max?: number } = {},
): number {
  let chars = 0;
  for (let index = from; index < items.length; index += 1) {
    chars += charsOf(items[index] as Item);
    if (chars > max && index > from) return index - from;
  }
  return items.length - from;
}

/** Cuts a list into such runs, in order; a list that fits is given back as it is. */
export function cut<Item>(
  items: readonly Item[],
  charsOf: (item: Item) => number,
  max: number = BATCH_CHARS_MAX,
): readonly (readonly Item[])[] {
  const pieces: (readonly Item[])[] = [];
  for (let from = 0; from < items.length; ) {
    const length = fitting(items, charsOf, { from, max });
    if (length === items.length) return [items];
    pieces.push(items.slice(from, from + length));
    from += length;
  }
  return pieces;
}
