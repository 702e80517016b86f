import {
  ERROR_CODES,
  type ErrorCode,
  intentOf,
  LongshoreError,
  RetryAfterError,
  SnoozeError,
  show,
  UnrecoverableError,
} from '../core/errors.ts';
import { isErrorLike, memberOf, messageOf, nameOf } from '../core/legible.ts';

/**
 * Errors across the border of a thread or process. The structured clone algorithm alone loses names of classes, own
 * properties and causes of causes. What cannot be cloned is left out; the meaning of Longshore's own errors is kept.
 */
export interface WireError {
  /** False: something else was thrown, and `value` is it. */
  readonly isError: boolean;
  readonly value: unknown;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly intent: ReturnType<typeof intentOf>;
  /** Own properties. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly cause: WireError | null;
}

const CAUSES_MAX = 10;
const APART = new Set(['name', 'message', 'stack', 'cause']);

/** Texts of any length may be thrown; a backoff function, their only reader over there, needs no more. */
const TEXT_CHARS_MAX = 100_000;

/** Never throws. */
export function packError(thrown: unknown, depth = 0): WireError {
  if (!isErrorLike(thrown)) return packValue(thrown);
  const [stack, cause] = [memberOf(thrown, 'stack'), memberOf(thrown, 'cause')];
  return {
    isError: true,
    value: null,
    name: nameOf(thrown).slice(0, TEXT_CHARS_MAX),
    message: messageOf(thrown).slice(0, TEXT_CHARS_MAX),
    stack: typeof stack === 'string' ? stack.slice(0, TEXT_CHARS_MAX) : null,
    intent: intentOf(thrown),
    properties: propertiesOf(thrown),
    cause: cause === undefined || depth >= CAUSES_MAX ? null : packError(cause, depth + 1),
  };
}

function packValue(value: unknown): WireError {
  const carried = cloned(value);
  const kept = carried === null ? { message: '', value: show(value) } : { message: '', value: carried.value };
  return { isError: false, name: '', stack: null, intent: null, properties: {}, cause: null, ...kept };
}

function propertiesOf(error: Error): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const key of keysOf(error)) {
    const carried = cloned(memberOf(error, key));
    if (carried !== null) found[key] = carried.value;
  }
  return found;
}

function keysOf(error: Error): string[] {
  try {
    return ['errors', ...Object.keys(error)].filter((key) => !APART.has(key) && Object.hasOwn(error, key));
  } catch {
    return []; // A proxy that does not tell.
  }
}

function cloned(value: unknown): { readonly value: unknown } | null {
  try {
    return { value: structuredClone(value) };
  } catch {
    return null;
  }
}

/** As near to what was thrown as this side can make it: its class where that is Node's or Longshore's. */
export function unpackError(wire: WireError): unknown {
  if (!wire.isError) return wire.value;
  const error = blank(wire);
  for (const [key, value] of Object.entries(wire.properties)) set(error, key, value, true);
  if (error.name !== wire.name) set(error, 'name', wire.name, false);
  set(error, 'stack', wire.stack ?? undefined, false);
  return error;
}

function blank(wire: WireError): Error {
  const { intent, message, properties } = wire;
  const options = wire.cause === null ? undefined : { cause: unpackError(wire.cause) };
  try {
    if (intent === 'unrecoverable') return new UnrecoverableError(message, options);
    if (intent === 'retryAfter')
      return new RetryAfterError(message, properties.retryAfterMs as number, options);
    if (intent === 'snooze') return new SnoozeError(properties.delayMs as number, message);
  } catch {
    // An error that only looks like one of ours, without a time that makes sense.
  }
  const { code, details } = properties;
  if (wire.name === 'LongshoreError' && typeof code === 'string' && Object.hasOwn(ERROR_CODES, code))
    return new LongshoreError(code as ErrorCode, message, { ...options, details: details as never });
  return new (BUILT_IN[wire.name] ?? Error)(message, options);
}

const BUILT_IN: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Some of it is read-only in the classes' eyes, or not to be listed. */
function set(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
