import type { Logger } from '../../../src/telemetry/log.ts';

export interface Line {
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Log {
  readonly logger: Logger;
  /** Resolves to the first line with this message, or to the nth. */
  line(text: string, nth?: number): Promise<Line>;
}

export function logFor(): Log {
  const lines: Line[] = [];
  const waiting: { text: string; nth: number; resolve: (line: Line) => void }[] = [];
  const found = (text: string, nth: number): Line | undefined =>
    lines.filter((line) => line.text === text)[nth - 1];
  const take = (facts: object, text: string): void => {
    lines.push({ text, facts: facts as Line['facts'] });
    for (const one of waiting) {
      const line = found(one.text, one.nth);
      if (line !== undefined) one.resolve(line);
    }
  };
  return {
    logger: { error: take, warn: take, info: take, debug: take },
    line: (text, nth = 1) => {
      const there = found(text, nth);
      if (there !== undefined) return Promise.resolve(there);
      const { promise, resolve } = Promise.withResolvers<Line>();
      waiting.push({ text, nth, resolve });
      return promise;
    },
  };
}
