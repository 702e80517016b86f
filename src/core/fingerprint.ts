import type { AttemptError } from './attempt-error.ts';

/**
 * Which errors are the same one: by task, name and message, where what differs from job to job (numbers, ids, quoted text,
 * addresses) is left out. The pattern is what people read; the fingerprint is short and names it in requests.
 */
export interface Fingerprint {
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly pattern: string;
}

const PATTERN_CHARS_MAX = 300;

const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\b[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\b/gi, '<id>'],
  [/"[^"]*"|'[^']*'|`[^`]*`/g, '<text>'],
  [/\b[\w.+-]+@[\w-]+\.[\w.]+\b/g, '<mail>'],
  [/\bhttps?:\/\/\S+/gi, '<url>'],
  [/\b(?=[\da-f]*\d)[\da-f]{12,}\b/gi, '<hex>'],
  [/\d+([.,:_-]\d+)*/g, '<n>'],
];

export function fingerprintOf(
  task: string,
  error: Pick<AttemptError, 'name' | 'message'> | null,
): Fingerprint {
  const pattern = error === null ? 'no error was kept' : `${error.name}: ${messagePattern(error.message)}`;
  return { fingerprint: hash(JSON.stringify([task, pattern])), pattern };
}

/** The first line: those behind it are often dumps of data. */
function messagePattern(message: string): string {
  const line = (/^[^\n\r]*/.exec(message)?.[0] ?? '').slice(0, PATTERN_CHARS_MAX * 4);
  return VARYING.reduce((text, [varying, word]) => text.replace(varying, word), line).slice(
    0,
    PATTERN_CHARS_MAX,
  );
}

/** FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/): no secret, so it need not be hard to meet. */
function hash(text: string): string {
  let sum = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  return sum.toString(16).padStart(16, '0');
}
