import { LongshoreError } from './errors.ts';

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/;

/** Milliseconds in a text such as `250ms`, `30s`, `1h30m`, `7d`, or a bare number of milliseconds. Throws OPTION_INVALID. */
export function parseDuration(text: string, field = 'duration'): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  if (!WHOLE.test(text)) {
    throw new LongshoreError(
      'OPTION_INVALID',
      `${field} is ${JSON.stringify(text)}; expected a duration such as 250ms, 30s, 1h30m or 7d.`,
      {
        details: { field, value: text },
      },
    );
  }
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART))
    total += Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return total;
}

/** A duration for people: `850 µs`, `4.2 ms`, `3.5 s`, `2m 5s`, `1h 30m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < 0.999_5) return `${Math.round(ms * 1_000)} µs`;
  if (ms < 9.95) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1_440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}
