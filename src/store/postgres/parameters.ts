import { optionInvalid } from '../../core/errors.ts';

/**
 * Parameters and rows as the store means them, whatever the user set on the driver: the parsers of `pg.types` and the
 * driver's own ways to write values belong to the whole program.
 */

/** As the driver sends it. */
export type Parameter = string | Buffer | null;

/**
 * Throws OPTION_INVALID for what is no value of a statement. Made before the driver is handed the statement: it has told the
 * server of a new one by the time it looks at the values, and would take it for known when that fails.
 */
export function parametersOf(values: readonly unknown[]): Parameter[] {
  return values.map(parameterOf);
}

function parameterOf(value: unknown): Parameter {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return value;
  return Array.isArray(value) ? `{${value.map(elementOf).join()}}` : textOf(value);
}

function elementOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return `"${textOf(value).replace(/["\\]/g, '\\$&')}"`;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  throw optionInvalid('a value for the database', value, 'a text, a number or a list of them');
}

/** By the type's number. Bigints come as numbers: what the store keeps in them is below 2^53. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  20: Number,
  21: Number,
  23: Number,
  26: Number,
  700: Number,
  701: Number,
  1700: Number,
  114: (text) => JSON.parse(text),
  3802: (text) => JSON.parse(text),
};

const asText = (text: string): string => text;

/** Given with each statement: the driver's own settings belong to the user. */
export const TYPES = { getTypeParser: (type: number) => PARSERS[type] ?? asText };
