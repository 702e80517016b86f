import type { styleText } from 'node:util';

/** A colour or style of node:util's styleText. */
export type Format = Parameters<typeof styleText>[0];

/** Styles text where the stream it goes to shows styles, and leaves it alone elsewhere. */
export type Paint = (format: Format, text: string) => string;

/** Text for terminals: stored data must not move the cursor or change colours, and columns must know how wide it is. */

const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** One line; control characters are written as escapes. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return ' ';
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const ZERO = /\p{M}|[\u200b-\u200d]|\ufe0f/u;
const ASCII = /^[ -~]*$/;

/** Columns a terminal needs for the text. */
export function width(text: string): number {
  if (ASCII.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

/** `2026-03-01 14:05:09`, in the machine's time zone. */
export function absoluteTime(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
