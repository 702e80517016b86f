import { fstatSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/**
 * Whether standard input was piped or redirected by a shell. Sockets do not count: they are what Node gives to child
 * processes that nobody writes to, and reading them would wait for ever.
 */
export function stdinIsPiped(): boolean {
  try {
    const status = fstatSync(0);
    return status.isFIFO() || status.isFile();
  } catch {
    return false;
  }
}

export function readStdin(): Promise<string> {
  return text(process.stdin);
}

/** The lines of standard input that are not blank, with their numbers from 1. */
export async function* stdinLines(): AsyncGenerator<{ readonly number: number; readonly text: string }> {
  let number = 0;
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    const trimmed = line.trim();
    if (trimmed !== '') yield { number, text: trimmed };
  }
}
