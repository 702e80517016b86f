import { printable } from './terminal.ts';

/** One line on standard error; the same text again after a minute at the earliest. */
export function warnSparingly(
  write: (line: string) => void = (line) => void process.stderr.write(line),
  now: () => number = () => performance.now(),
): (text: string) => void {
  const toldAt = new Map<string, number>();
  return (text) => {
    if (now() - (toldAt.get(text) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    if (toldAt.size >= TEXTS_MAX) toldAt.clear();
    toldAt.set(text, now());
    write(`${printable(`longshore: ${text}`)}\n`);
  };
}

const AGAIN_MS = 60_000;
const TEXTS_MAX = 100;
