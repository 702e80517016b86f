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

/** Lines of at most `columns`, indented. A word that is longer stands alone. */
export function wrapped(text: string, columns: number, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || width(indent + longer) <= columns) line = longer;
    else {
      lines.push(indent + line);
      line = word;
    }
  }
  return [...lines, indent + line].join('\n');
}

export { counted } from '../core/counted.ts';
