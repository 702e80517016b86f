import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/**
 * Observable Plot with a document to draw into. Its marks take CSS variables as colours, so one drawing serves light, dark and
 * print (docs/adr/0030-reports.md).
 */
const { document } = parseHTML('<!doctype html><body></body>');

/** What is used of an SVG element; the types of Node have no document. */
export interface Drawn {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelectorAll(selector: string): Iterable<{ remove(): void }>;
}

const FONT_PX = 12;
export const CHARACTER_PX = 6.9;

export function plot(options: Plot.PlotOptions): Drawn {
  const made = Plot.plot({
    document: document as never,
    style: {
      fontSize: `${FONT_PX}px`,
      background: 'none',
      fontFamily: 'inherit',
      overflow: 'visible',
    },
    opacity: { type: 'identity' },
    color: { type: 'identity' },
    ...options,
  });
  return made as unknown as Drawn;
}

export function textWidth(texts: readonly string[], least: number, most: number): number {
  return Math.min(Math.max(...texts.map((text) => text.length * CHARACTER_PX), least), most);
}

/** `150k`, `2M`: ticks are short. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}
