/**
 * Values as a reader of a message wants to see them, whatever they are: errors of other realms (Jest's vm contexts,
 * threads) and look-alikes, revoked proxies, messages that are objects or throw when they are read.
 * Nothing here throws, and `instanceof` is used here alone for classes of the language, since each realm has its own.
 */

const UNREADABLE = 'a value that cannot be read';

/** A value on one line, short and with its type. */
export function show(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return String(value);
  return quietly(() => showObject(value), UNREADABLE);
}

function showObject(value: object): string {
  if (typeof value === 'function') return `function ${String(value.name) || '(anonymous)'}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return `an object (${String(value.constructor?.name ?? 'no prototype')})`;
}

/**
 * Free text for a store, NUL and halves of surrogate pairs made visible: not every store gives them back
 * (docs/store-contract.md), and cutting a text to its limit makes such halves.
 */
export function showNul(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u2400');
}

/** An error, of this realm or another one. */
export function isError(value: unknown): value is Error {
  return quietly(() => value instanceof Error || tagOf(value) === '[object Error]', false);
}

/** An error, or what looks like one. */
export function isErrorLike(value: unknown): value is Error {
  return isError(value) || typeof memberOf(value, 'message') === 'string';
}

/** A date, of this realm or another one. */
export function isDate(value: unknown): value is Date {
  return quietly(() => value instanceof Date || tagOf(value) === '[object Date]', false);
}

/** An own or inherited member; undefined where it cannot be read. */
export function memberOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return quietly(() => (value as Record<PropertyKey, unknown>)[key], undefined);
}

export function nameOf(error: Error): string {
  return textOf(memberOf(error, 'name')) || 'Error';
}

export function messageOf(error: Error): string {
  return textOf(memberOf(error, 'message'));
}

/** Some programs make stacks of their own (Error.prepareStackTrace), which need not be text. */
export function stackOf(error: Error): string {
  const stack = memberOf(error, 'stack');
  return typeof stack === 'string' ? stack : `${nameOf(error)}: ${messageOf(error)}`;
}

/** Why something failed, for the middle of a message. */
export function reasonOf(thrown: unknown): string {
  return isErrorLike(thrown) ? messageOf(thrown) : show(thrown);
}

/** As `reasonOf`, with the name of the error. */
export function namedReasonOf(thrown: unknown): string {
  return isErrorLike(thrown) ? `${nameOf(thrown)}: ${messageOf(thrown)}` : show(thrown);
}

/** The prefix that String() gives objects of a built-in class, in every realm. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : quietly(() => String(value), UNREADABLE);
}

function quietly<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
