import { type Ageing, requireAgeing } from '../core/ageing.ts';
import { formatDuration, parseDuration } from '../core/duration.ts';
import { optionInvalid } from '../core/errors.ts';
import type { Rate } from '../core/limits.ts';
import type { QueueSettings } from '../store/store.ts';
import { integer } from './values.ts';

/** The limits and the ageing of a queue in a line; empty where there are none. */
export function limitsText({ limits, ageing }: Pick<QueueSettings, 'limits' | 'ageing'>): string {
  const { concurrency, rate, perKey } = limits;
  const parts = [
    concurrency === null ? null : `${concurrency} at a time`,
    rate === null ? null : rateText(rate),
    perKey.ordered ? 'keys in order' : null,
    perKey.concurrency === null || perKey.ordered ? null : `${perKey.concurrency} per key`,
    perKey.rate === null ? null : `${rateText(perKey.rate)} per key`,
    ageing === null ? null : `ageing ${compact(ageing.everyMs)}/${ageing.floor}`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

function rateText({ count, perMs }: Rate): string {
  return `${count}/${compact(perMs)}`;
}

function compact(ms: number): string {
  return formatDuration(ms).replaceAll(' ', '');
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

/** `30s/-10`, or `none` to end it. */
export function ageing(option: string): (text: string) => Ageing | 'none' {
  return (text) => {
    if (text === 'none') return text;
    const [, every, floor] = /^(.+)\/(-?\d+)$/.exec(text) ?? [];
    if (every === undefined || floor === undefined)
      throw optionInvalid(option, text, 'a time and a lowest priority such as 30s/-10, or none');
    return requireAgeing(option, { everyMs: parseDuration(every, option), floor: Number(floor) });
  };
}

/** A whole number, or `none` to lift the limit. */
export function countOrNone(option: string): (text: string) => number | 'none' {
  return (text) => (text === 'none' ? text : integer(option, 1)(text));
}
