/**
 * Sets of indexes as ascending ranges `[first, last, first, last, ...]`: a fan-out of 100,000 items with three failures
 * takes a few numbers.
 */
export type Ranges = readonly number[];

export function rangesOf(from: number, to: number): Ranges {
  return from > to ? [] : [from, to];
}

export function sizeOf(ranges: Ranges): number {
  let size = 0;
  for (let at = 0; at < ranges.length; at += 2)
    size += (ranges[at + 1] as number) - (ranges[at] as number) + 1;
  return size;
}

export function holds(ranges: Ranges, index: number): boolean {
  const at = placeOf(ranges, index);
  return at < ranges.length && (ranges[at] as number) <= index;
}

export function withIndex(ranges: Ranges, index: number): Ranges {
  const at = placeOf(ranges, index);
  if (at < ranges.length && (ranges[at] as number) <= index) return ranges;
  const made = [...ranges];
  const joinsBefore = at > 0 && made[at - 1] === index - 1;
  const joinsAfter = at < made.length && made[at] === index + 1;
  if (joinsBefore && joinsAfter) made.splice(at - 1, 2);
  else if (joinsBefore) made[at - 1] = index;
  else if (joinsAfter) made[at] = index;
  else made.splice(at, 0, index, index);
  return made;
}

export function withoutIndex(ranges: Ranges, index: number): Ranges {
  const at = placeOf(ranges, index);
  if (at >= ranges.length || (ranges[at] as number) > index) return ranges;
  const [first, last] = [ranges[at] as number, ranges[at + 1] as number];
  return [
    ...ranges.slice(0, at),
    ...rangesOf(first, index - 1),
    ...rangesOf(index + 1, last),
    ...ranges.slice(at + 2),
  ];
}

/** The first `count` indexes, and the ranges without them. */
export function takeFirst(
  ranges: Ranges,
  count: number,
): { readonly taken: number[]; readonly rest: Ranges } {
  const taken: number[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const [first, last] = [ranges[at] as number, ranges[at + 1] as number];
    for (let index = first; index <= last; index += 1) {
      if (taken.length === count) return { taken, rest: [index, last, ...ranges.slice(at + 2)] };
      taken.push(index);
    }
  }
  return { taken, rest: [] };
}

/** The first index from `from` on that is in no range. */
export function firstOutside(ranges: Ranges, from: number): number {
  const at = placeOf(ranges, from);
  // Ranges that touch are one, so what follows a range is outside.
  return at < ranges.length && (ranges[at] as number) <= from ? (ranges[at + 1] as number) + 1 : from;
}

/** Where the first range stands that ends at `index` or behind it. */
function placeOf(ranges: Ranges, index: number): number {
  let [low, high] = [0, ranges.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle * 2 + 1] as number) < index) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}
