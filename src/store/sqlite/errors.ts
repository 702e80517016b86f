import { dirname } from 'node:path';
import { type ErrorCode, LongshoreError } from '../../core/errors.ts';
import { isError, reasonOf } from '../../core/legible.ts';
import { statfsSync } from './files.ts';

/**
 * SQLite's result codes (https://sqlite.org/rescode.html) as error codes, and the form in which an error crosses from
 * the store thread to the caller: a structured clone would drop its class and its code.
 */

const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const TOOBIG = 18;
const CONSTRAINT = 19;
const NOTADB = 26;

/** SQLite's primary result code; null when `error` is not from SQLite. */
export function resultCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : null;
}

/** Somebody else holds a lock: the same statement may succeed a moment later. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** A row that breaks a constraint, such as an id that exists. */
export function isConstraint(error: unknown): boolean {
  return resultCode(error) === CONSTRAINT;
}

/** What went wrong with the file, in the words of its user. Errors of Longshore pass as they are. */
export function toStoreError(error: unknown, file: string): LongshoreError {
  if (error instanceof LongshoreError) return error;
  const reason = reasonOf(error);
  const [code, text] = explain(resultCode(error), file, reason);
  const details = { file, ...(resultCode(error) === null ? {} : { errcode: Number(errcodeOf(error)) }) };
  return new LongshoreError(code, text, { cause: error, details });
}

function explain(result: number | null, file: string, reason: string): [ErrorCode, string] {
  switch (result) {
    case BUSY:
    case LOCKED:
      return [
        'STORE_BUSY',
        `${file} is locked by another program for too long (${reason}). End the transaction that holds it, or try again.`,
      ];
    case READONLY:
      return [
        'STORE_READ_ONLY',
        `${file} cannot be written (${reason}). Make the file and its folder writable for this user.`,
      ];
    case CORRUPT:
      return [
        'STORE_CORRUPT',
        `${file} is damaged (${reason}). Keep a copy of it and of its -wal file, then restore a backup or recover it with sqlite3's .recover.`,
      ];
    case NOTADB:
      return [
        'STORE_CORRUPT',
        `${file} is not an SQLite database (${reason}). Name another file, or move this one away.`,
      ];
    case TOOBIG:
      return [
        'PAYLOAD_TOO_LARGE',
        `${file} does not take values of this size (${reason}). Nothing was written; store the data elsewhere and send a reference.`,
      ];
    case FULL:
      return full(file, reason);
    case IOERR:
      return hasSpace(file)
        ? ['STORE_UNAVAILABLE', `${file} cannot be read or written (${reason}). Check the disk.`]
        : full(file, reason);
    case CANTOPEN:
      return [
        'STORE_UNAVAILABLE',
        `${file} cannot be opened (${reason}). Check that this user may use its folder.`,
      ];
    default:
      return ['STORE_FAILED', `${file}: ${reason}`];
  }
}

function full(file: string, reason: string): [ErrorCode, string] {
  return [
    'STORE_FULL',
    `There is no space left for ${file} (${reason}). Nothing of the batch was written; free some space and try again.`,
  ];
}

function hasSpace(file: string): boolean {
  try {
    return statfsSync(dirname(file)).bavail > 0;
  } catch {
    return true;
  }
}

function errcodeOf(error: unknown): unknown {
  return (error as { errcode?: unknown }).errcode;
}

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause: Error | null;
}

export function toWire(error: unknown, file: string): WireError {
  const { code, message, details, cause } = toStoreError(error, file);
  return { code, message, details, cause: isError(cause) ? cause : null };
}

export function fromWire({ code, message, details, cause }: WireError): LongshoreError {
  return new LongshoreError(code, message, cause === null ? { details } : { cause, details });
}
