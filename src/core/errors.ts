/**
 * The ONE table of error codes, and the error classes callers branch on.
 *
 * A message says what happened, where, with which value, and what to do. `retryable` answers "may the same
 * call succeed later, unchanged?". `status` is the HTTP status the API answers with.
 */
import { memberOf, show } from './legible.ts';

export { type AttemptError, toAttemptError, withNote } from './attempt-error.ts';
export { show, showNul } from './legible.ts';

interface CodeEntry {
  readonly meaning: string;
  readonly retryable: boolean;
  readonly status: number;
}

export const ERROR_CODES = {
  OPTION_INVALID: { meaning: 'an option has a value outside its range', retryable: false, status: 400 },
  TASK_INVALID: { meaning: 'a task definition is wrong', retryable: false, status: 400 },
  TASK_DUPLICATE: { meaning: 'two tasks share one name', retryable: false, status: 409 },
  TASK_UNKNOWN: { meaning: 'no task of that name is registered', retryable: true, status: 404 },
  PACKAGE_INCOMPLETE: {
    meaning: 'a file of this package is missing, as in a bundle',
    retryable: false,
    status: 500,
  },
  TASKS_UNLOADABLE: { meaning: 'a file of tasks cannot be loaded', retryable: false, status: 500 },
  TASK_MODULE_UNLOADABLE: {
    meaning: 'a thread or process cannot load the task from its module',
    retryable: true,
    status: 500,
  },
  INPUT_INVALID: { meaning: "the input does not match the task's schema", retryable: false, status: 422 },
  PAYLOAD_NOT_JSON: {
    meaning: 'a value cannot be written as JSON without loss',
    retryable: false,
    status: 422,
  },
  PAYLOAD_TOO_LARGE: {
    meaning: 'a payload, or a batch of them, is larger than the limit',
    retryable: false,
    status: 413,
  },
  PAYLOAD_CORRUPT: { meaning: 'a stored payload cannot be read back', retryable: false, status: 500 },
  PAYLOAD_PLAIN: {
    meaning: 'a payload is not encrypted where only encrypted ones are taken',
    retryable: true,
    status: 500,
  },
  KEY_UNKNOWN: { meaning: 'no key of the key ring opens a payload', retryable: true, status: 500 },
  UNIQUE_CONFLICT: { meaning: 'a job with this unique key already exists', retryable: true, status: 409 },
  JOB_UNKNOWN: { meaning: 'there is no job with this id', retryable: false, status: 404 },
  JOB_STATE_REFUSED: {
    meaning: 'the state of the job does not allow this action',
    retryable: false,
    status: 409,
  },
  JOB_FAILED: { meaning: 'the job ended as a dead letter', retryable: false, status: 424 },
  JOB_CANCELLED: { meaning: 'the job was cancelled', retryable: false, status: 410 },
  JOB_REPLACED: {
    meaning: 'a newer job with the unique key of this one runs instead',
    retryable: false,
    status: 410,
  },
  JOB_TIMED_OUT: { meaning: 'an attempt ran longer than its timeout', retryable: true, status: 504 },
  JOB_HEARTBEAT_MISSED: {
    meaning: 'an attempt gave no sign of life within its heartbeat timeout',
    retryable: true,
    status: 504,
  },
  JOB_POISONED: { meaning: 'the workers that ran the job kept dying', retryable: false, status: 500 },
  LANE_CRASHED: {
    meaning: 'the thread or process that ran the handler ended under it',
    retryable: true,
    status: 500,
  },
  LANE_OUT_OF_MEMORY: {
    meaning: 'the thread or process that ran the handler reached its memory limit',
    retryable: true,
    status: 500,
  },
  LEASE_LOST: { meaning: 'another worker may own the job now', retryable: false, status: 409 },
  LEASE_EXPIRED: { meaning: 'the worker that ran the job fell silent', retryable: true, status: 503 },
  RESULT_TIMEOUT: { meaning: 'the job did not end within the time given', retryable: true, status: 504 },
  WORKER_STOPPING: { meaning: 'the worker is being stopped', retryable: true, status: 503 },
  QUEUE_BUSY: { meaning: 'the queue still has running jobs', retryable: true, status: 409 },
  STORE_URL_INVALID: { meaning: 'the store URL cannot be understood', retryable: false, status: 400 },
  STORE_UNAVAILABLE: { meaning: 'the store cannot be reached or opened', retryable: true, status: 503 },
  STORE_READ_ONLY: { meaning: 'the store cannot be written', retryable: false, status: 503 },
  STORE_FULL: { meaning: 'the store has no space left', retryable: true, status: 507 },
  STORE_BUSY: { meaning: 'the store is locked by somebody else for too long', retryable: true, status: 503 },
  STORE_CORRUPT: { meaning: 'the store holds damaged data', retryable: false, status: 500 },
  STORE_NEWER: { meaning: 'a newer version of Longshore wrote this store', retryable: false, status: 409 },
  STORE_OUTDATED: { meaning: 'the store needs migrations', retryable: false, status: 409 },
  STORE_CLOSED: { meaning: 'the store was closed', retryable: false, status: 503 },
  STORE_FAILED: { meaning: 'the store met an unexpected error', retryable: true, status: 500 },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

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

function isMs(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MS_MAX;
}

/**
 * Throws OPTION_INVALID unless `value` is a string of 1 to `max` characters without control characters: those cannot be
 * seen in a list, and not every store gives NUL back.
 */
export function requireName(field: string, value: unknown, max = 200): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > max)
    throw optionInvalid(field, value, `a string of 1 to ${max} characters`);
  const control = CONTROL_CHARACTER.exec(value)?.[0];
  if (control === undefined) return value;
  const code = control.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  throw optionInvalid(field, value, `a name without control characters such as U+${code}`);
}

const CONTROL_CHARACTER = /\p{Cc}/u;

export function optionInvalid(field: string, value: unknown, expected: string): LongshoreError {
  const shown = show(value);
  return new LongshoreError('OPTION_INVALID', `${field} is ${shown}; expected ${expected}.`, {
    details: { field, value: shown, expected },
  });
}
