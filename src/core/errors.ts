import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

/**
 * The error classes callers branch on; the codes stand in error-codes.ts. A message says what happened, where, with which
 * value, and what to do.
 */
import { memberOf, show, showNul } from './legible.ts';

export { type AttemptError, toAttemptError, withNote } from './attempt-error.ts';
export { ERROR_CODES, type ErrorCode } from './error-codes.ts';
export { show, showNul };

export interface LongshoreErrorOptions {
  /** What caused it; kept as it is. */
  readonly cause?: unknown;
  /** Facts for programs: field, value, limits, ids. JSON-safe. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Every error Longshore throws on its own account. Branch on `code`. Errors of your handlers are never wrapped in it. */
export class LongshoreError extends Error {
  override readonly name = 'LongshoreError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: LongshoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  toJSON(): {
    code: ErrorCode;
    message: string;
    retryable: boolean;
    details: Readonly<Record<string, unknown>>;
  } {
    return { code: this.code, message: this.message, retryable: this.retryable, details: this.details };
  }
}

/**
 * Whether the fault may lie in what a store was given, so that each item is to be tried alone. Most faults of a store itself
 * have codes of their own.
 */
export function mayBlameAnItem(code: ErrorCode): boolean {
  return code === 'STORE_FAILED' || !code.startsWith('STORE_');
}

/** True for an outage, or a store that is busy or full. Anything else comes again with the next try, unless somebody acts. */
export function mayPass(error: unknown): boolean {
  return error instanceof LongshoreError && error.retryable && error.code !== 'STORE_FAILED';
}

/** Marks the errors handlers throw on purpose, so that those of another copy of the package count as well. */
const INTENT = Symbol.for('longshore.intent');

type Intent = 'unrecoverable' | 'retryAfter' | 'snooze';

/** What a handler meant by throwing this; null for any other error. */
export function intentOf(thrown: unknown): Intent | null {
  return (memberOf(thrown, INTENT) ?? null) as Intent | null;
}

/** The wait that goes with an intent; null where somebody changed it into nonsense. */
export function intendedMs(thrown: unknown, field: 'retryAfterMs' | 'delayMs'): number | null {
  const ms = memberOf(thrown, field);
  return isMs(ms) ? ms : null;
}

/** Throw it from a handler: the job fails at once, whatever attempts are left. */
export class UnrecoverableError extends Error {
  override readonly name: string = 'UnrecoverableError';
  readonly [INTENT]: Intent = 'unrecoverable';
}

/** Throw it from a handler: this attempt failed, and the next one starts after `retryAfterMs`, whatever the backoff says. */
export class RetryAfterError extends Error {
  override readonly name = 'RetryAfterError';
  readonly [INTENT]: Intent = 'retryAfter';
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = requireMs('retryAfterMs', retryAfterMs);
  }
}

/** Throw it from a handler: not now, run me again after `delayMs`; the attempt is not charged. */
export class SnoozeError extends Error {
  override readonly name = 'SnoozeError';
  readonly [INTENT]: Intent = 'snooze';
  readonly delayMs: number;

  constructor(delayMs: number, message = `snoozed for ${delayMs} ms`) {
    super(message);
    this.delayMs = requireMs('delayMs', delayMs);
  }
}

/** Throws OPTION_INVALID unless `value` is a whole number of at least `min`. */
export function requireInteger(
  field: string,
  value: unknown,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw optionInvalid(field, value, `a whole number ${range}`);
}

/** 1,000 years: any time from now on is a valid Date and a whole number that every store can hold. */
const MS_MAX = 1_000 * 365 * 86_400_000;

/** Throws OPTION_INVALID unless `value` is a number of milliseconds, 0 to 1,000 years. */
export function requireMs(field: string, value: unknown): number {
  if (isMs(value)) return value;
  throw optionInvalid(field, value, 'a number of milliseconds, 0 or more and at most 1,000 years');
}

/** Throws OPTION_INVALID unless `value` is more than 0 and at most 1,000 years. */
export function requirePositiveMs(field: string, value: unknown): number {
  if (requireMs(field, value) === 0) throw optionInvalid(field, value, 'more than 0 milliseconds');
  return value as number;
}

export function isMs(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MS_MAX;
}

/**
 * Throws OPTION_INVALID unless `value` is a string of 1 to `max` characters without control characters, which cannot be
 * seen in a list, and without halves of characters.
 */
export function requireName(field: string, value: unknown, max = 200): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > max)
    throw optionInvalid(field, value, `a string of 1 to ${max} characters`);
  // Not every store gives half a character back.
  if (!value.isWellFormed()) throw optionInvalid(field, value, 'a name without halves of surrogate pairs');
  const control = CONTROL_CHARACTER.exec(value)?.[0];
  if (control === undefined) return value;
  const code = control.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  throw optionInvalid(field, value, `a name without control characters such as U+${code}`);
}

/** Throws OPTION_INVALID unless `value` is a string, for people; null for one that is not given. NUL is made visible: not every store keeps it. */
export function optionalText(field: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string') throw optionInvalid(field, value, 'a string');
  return showNul(value);
}

const CONTROL_CHARACTER = /\p{Cc}/u;

export function optionInvalid(field: string, value: unknown, expected: string): LongshoreError {
  const shown = show(value);
  return new LongshoreError('OPTION_INVALID', `${field} is ${shown}; expected ${expected}.`, {
    details: { field, value: shown, expected },
  });
}
