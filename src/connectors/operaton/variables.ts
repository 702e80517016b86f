import { LongshoreError, show } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import type { Json } from '../../core/payload.ts';

/**
 * Between the engine's typed variables and JSON. In: a variable becomes what a schema expects of its type. Out: each member
 * of a handler's result becomes a variable of the type its value suggests, or of the one that `types` names.
 */

/** A variable as the REST API has it. */
export interface TypedValue {
  readonly value: unknown;
  readonly type?: string | null;
  readonly valueInfo?: Readonly<Record<string, unknown>>;
}

export type Variables = Readonly<Record<string, TypedValue>>;

/** The types that a result can be written as. */
export const VARIABLE_TYPES = [
  'String',
  'Boolean',
  'Short',
  'Integer',
  'Long',
  'Double',
  'Date',
  'Json',
  'Object',
  'Xml',
  'Bytes',
] as const;

export type VariableType = (typeof VARIABLE_TYPES)[number];

/** Throws INPUT_INVALID for a variable that says it is JSON and is not. */
export function readVariables(variables: Variables): Record<string, Json> {
  return Object.fromEntries(Object.entries(variables).map(([name, typed]) => [name, read(name, typed)]));
}

function read(name: string, { value, type, valueInfo = {} }: TypedValue): Json {
  // A file's content is not sent along; its facts are.
  if (type === 'File') return valueInfo as Json;
  if (typeof value !== 'string') return value as Json;
  if (type === 'Json' || (type === 'Object' && String(valueInfo.serializationDataFormat).includes('json')))
    return parsed(name, value);
  return type === 'Date' ? fromDate(value) : value;
}

function parsed(name: string, text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new LongshoreError(
      'INPUT_INVALID',
      `The variable ${show(name)} is of type Json, and its value cannot be read: ${reasonOf(cause)}.`,
      { cause, details: { variable: name, starts: text.slice(0, 80) } },
    );
  }
}

/** The engine writes `2030-01-31T09:00:00.000+0100`. ISO 8601 in UTC, where it is a time at all. */
export function fromDate(text: string): string {
  const date = new Date(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}

export interface WriteOptions {
  /** By the names of variables. */
  readonly types?: Readonly<Record<string, VariableType>> | undefined;
  /** The variable that takes the result as a whole; without it each member of an object becomes one, and anything else becomes `result`. */
  readonly into?: string | undefined;
}

/** Throws PAYLOAD_TOO_LARGE and VARIABLE_INVALID, naming the variable. */
export function writeVariables(
  result: Json | undefined,
  { types = {}, into }: WriteOptions,
): Record<string, TypedValue> {
  if (result === undefined || result === null) return {};
  const isObject = typeof result === 'object' && !Array.isArray(result);
  const members = into === undefined && isObject ? result : { [into ?? 'result']: result };
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, write(name, value, types[name])]),
  );
}

function write(name: string, value: Json, type: VariableType | undefined): TypedValue {
  if (value === null) return { value: null, type: 'Null' };
  const written = WRITERS[type ?? typeFor(value)](value);
  if (written === null) throw misfit(name, value, type);
  if (written.type === 'String' && (written.value as string).length > STRING_CHARS_MAX)
    throw tooLong(name, (written.value as string).length);
  return written;
}

/** What the engine's databases hold of a String. */
const STRING_CHARS_MAX = 4_000;

const INT_MAX = 2 ** 31 - 1;

function typeFor(value: Json): VariableType {
  if (typeof value === 'string') return 'String';
  if (typeof value === 'boolean') return 'Boolean';
  if (typeof value !== 'number') return 'Json';
  if (!Number.isSafeInteger(value)) return 'Double';
  return value >= -INT_MAX - 1 && value <= INT_MAX ? 'Integer' : 'Long';
}

type Writer = (value: Json) => TypedValue | null;

/** Each gives null for a value that its type cannot hold. */
const WRITERS: Readonly<Record<VariableType, Writer>> = {
  // Another value as JSON text, for an engine without the type Json.
  String: (value) => ({ value: typeof value === 'string' ? value : JSON.stringify(value), type: 'String' }),
  Xml: (value) => (typeof value === 'string' ? { value, type: 'Xml' } : null),
  Bytes: (value) =>
    typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) ? { value, type: 'Bytes' } : null,
  Boolean: (value) => (typeof value === 'boolean' ? { value, type: 'Boolean' } : null),
  Short: whole('Short', 2n ** 15n),
  Integer: whole('Integer', 2n ** 31n),
  Long: whole('Long', 2n ** 63n),
  Double: (value) => (typeof value === 'number' ? { value, type: 'Double' } : null),
  Date: (value) => {
    const date = typeof value === 'string' || typeof value === 'number' ? new Date(value) : null;
    if (date === null || Number.isNaN(date.getTime())) return null;
    return { value: date.toISOString().replace('Z', '+0000'), type: 'Date' };
  },
  Json: (value) => ({ value: JSON.stringify(value), type: 'Json' }),
  Object: (value) => ({
    value: JSON.stringify(value),
    type: 'Object',
    valueInfo: { objectTypeName: javaClass(value), serializationDataFormat: 'application/json' },
  }),
};

/** Digits in a text as well: a Long may be larger than what a number holds exactly. */
function whole(type: 'Short' | 'Integer' | 'Long', bound: bigint): Writer {
  return (value) => {
    const isWhole =
      typeof value === 'number'
        ? Number.isSafeInteger(value)
        : typeof value === 'string' && /^-?\d+$/.test(value);
    if (!isWhole) return null;
    const exact = BigInt(value as string | number);
    return exact >= -bound && exact < bound ? { value, type } : null;
  };
}

function javaClass(value: Json): string {
  return Array.isArray(value) ? 'java.util.ArrayList' : 'java.util.LinkedHashMap';
}

function misfit(name: string, value: Json, type: VariableType | undefined): LongshoreError {
  return new LongshoreError(
    'VARIABLE_INVALID',
    `The result's ${show(name)} is ${show(value)}, which a variable of type ${type} cannot hold. Change what the handler returns, or the type under \`types\` of the topic.`,
    { details: { variable: name, type } },
  );
}

function tooLong(name: string, chars: number): LongshoreError {
  return new LongshoreError(
    'PAYLOAD_TOO_LARGE',
    `The result's ${show(name)} has ${chars} characters; a variable of type String holds ${STRING_CHARS_MAX}. Give it the type Json, Xml or Bytes under \`types\` of the topic, or return where the text is to be found.`,
    { details: { variable: name, chars, charsMax: STRING_CHARS_MAX } },
  );
}
