import { formatDuration } from '../core/duration.ts';
import { width } from '../telemetry/terminal.ts';

export { absoluteTime, printable, width } from '../telemetry/terminal.ts';

/** At most `columns` wide; what is cut off is marked with an ellipsis. */
export function truncate(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = width(character);
    if (used + next > columns - 1) break;
    kept += character;
    used += next;
  }
  return `${kept}…`;
}

/** `2m 5s ago`, `in 30 s`, `now`. */
export function relativeTime(at: number, now: number): string {
  const distance = at - now;
  if (Math.abs(distance) < 1_000) return 'now';
  const rounded = Math.abs(distance) < 60_000 ? Math.round(distance / 1_000) * 1_000 : distance;
  return distance < 0 ? `${formatDuration(-rounded)} ago` : `in ${formatDuration(rounded)}`;
}

/** `1 job`, `3 jobs`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The word of `words` that `given` is probably a misspelling of. */
export function nearest(given: string, words: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.min(3, Math.ceil(given.length * 0.4)) + 1;
  for (const word of words) {
    const distance = editDistance(given.toLowerCase(), word.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
