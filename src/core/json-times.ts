import { isDate } from './legible.ts';

/** A view for JSON of the command line and of HTTP: times are milliseconds since the epoch, as everywhere in the program's JSON. */
export function withMilliseconds(value: unknown): unknown {
  if (isDate(value)) return value.getTime();
  if (Array.isArray(value)) return value.map(withMilliseconds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withMilliseconds(part)]));
}
