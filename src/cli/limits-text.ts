import { formatDuration, parseDuration } from '../core/duration.ts';
import { optionInvalid } from '../core/errors.ts';
import type { QueueLimits, Rate } from '../core/limits.ts';
import { integer } from './values.ts';

/** The limits of a queue in a line; empty where nothing is limited. */
export function limitsText({ concurrency, rate, perKey }: QueueLimits): string {
  const parts = [
    concurrency === null ? null : `${concurrency} at a time`,
    rate === null ? null : rateText(rate),
    perKey.ordered ? 'keys in order' : null,
    perKey.concurrency === null || perKey.ordered ? null : `${perKey.concurrency} per key`,
    perKey.rate === null ? null : `${rateText(perKey.rate)} per key`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

function rateText({ count, perMs }: Rate): string {
  return `${count}/${formatDuration(perMs).replaceAll(' ', '')}`;
}

/** `100/1s`, or `none` to lift the limit. */
export function rate(option: string): (text: string) => Rate | 'none' {
  return (text) => {
    if (text === 'none') return text;
    const [, count, per] = /^(\d+)\/(.+)$/.exec(text) ?? [];
    if (count === undefined || per === undefined)
      throw optionInvalid(option, text, 'a count and a time such as 100/1s or 5/1m, or none');
    // 1/s is as good as 1/1s.
    return { count: Number(count), perMs: parseDuration(/^\d/.test(per) ? per : `1${per}`, option) };
  };
}

/** A whole number, or `none` to lift the limit. */
export function countOrNone(option: string): (text: string) => number | 'none' {
  return (text) => (text === 'none' ? text : integer(option, 1)(text));
}
