import { parseDuration } from '../core/duration.ts';
import { optionInvalid, requireInteger } from '../core/errors.ts';

/** Readers of option values. Each throws OPTION_INVALID, naming the option, its value and what was expected. */

/** A text such as `30s`; a plain number is milliseconds. */
export function duration(option: string): (text: string) => number {
  return (text) => parseDuration(text, option);
}

export function integer(option: string, min: number, max?: number): (text: string) => number {
  return (text) => {
    if (!/^-?\d+$/.test(text)) throw optionInvalid(option, text, 'a whole number');
    return requireInteger(option, Number(text), min, max);
  };
}

/** More than 0. */
export function number(option: string): (text: string) => number {
  return (text) => {
    if (/^\d*\.?\d+$/.test(text) && Number(text) > 0) return Number(text);
    throw optionInvalid(option, text, 'a number of more than 0');
  };
}

/** A share of the whole, as a number; what range it must be in is the core's to say. */
export function share(option: string): (text: string) => number {
  return (text) => {
    if (/^\d*\.?\d+$/.test(text)) return Number(text);
    throw optionInvalid(option, text, 'a share such as 0.9');
  };
}

/** A number as a number, anything else as it is: for options whose names and ranges the core knows. */
export function numberOrName(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** ISO 8601: a day or a time, in the machine's own time zone unless it names one. */
export function time(option: string): (text: string) => Date {
  return (text) => {
    const [, day, clock = '00:00', zone = ''] = TIME.exec(text) ?? [];
    // A day by itself is UTC to `Date`, and one with a time is local: here both are local.
    const date = new Date(`${day}T${clock}${zone}`);
    if (day !== undefined && isDay(day) && !Number.isNaN(date.getTime())) return date;
    throw optionInvalid(
      option,
      text,
      'a time such as 2030-01-31T09:00:00Z, or 2030-01-31T09:00 or 2030-01-31 in local time',
    );
  };
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?)?$/;

/** `Date` takes 30 February for 2 March. */
function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** An option that may be repeated; each value may be a list with commas. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  const values = text.split(',').map((value) => value.trim());
  return [...before, ...values.filter((value) => value !== '')];
}

/** An option that may be repeated, for values that may hold commas. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
