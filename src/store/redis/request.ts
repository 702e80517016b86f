import { LongshoreError } from '../../core/errors.ts';

/**
 * What goes to the server in one call of a script. A server closes the connection of whoever sends an argument beyond its
 * `proto-max-bulk-len` (512 MiB; it cannot be set below 1 MiB), which looks like an outage. So long arguments go in pieces,
 * and lua/_begin.lua joins them again. How long all of them are together a server does not mind; REQUEST_BYTES_MAX bounds
 * that here, since a call of a script is a transaction and cannot be divided.
 */
export type Argument = string | Buffer;

export interface Request {
  /** Of each argument, how many pieces it comes in, each behind a space; '' when each comes whole. */
  readonly pieces: string;
  readonly args: readonly Argument[];
  readonly bytes: number;
}

/** Below the least that a server may be set to take. */
const PIECE_BYTES = 524_288;

/** More would hold the server up for seconds, and take a multiple of it of its memory. */
export const REQUEST_BYTES_MAX = 536_870_912;

export function requestOf(given: readonly Argument[]): Request {
  let bytes = 0;
  let isLong = false;
  for (const argument of given) {
    const length = Buffer.byteLength(argument);
    bytes += length;
    if (length > PIECE_BYTES) isLong = true;
  }
  if (!isLong) return { pieces: '', args: given, bytes };
  const args: Argument[] = [];
  let pieces = '';
  for (const argument of given) {
    const before = args.length;
    if (Buffer.byteLength(argument) <= PIECE_BYTES) args.push(argument);
    else args.push(...cut(Buffer.from(argument as string)));
    pieces += ` ${args.length - before}`;
  }
  return { pieces, args, bytes };
}

function cut(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += PIECE_BYTES)
    pieces.push(bytes.subarray(from, from + PIECE_BYTES));
  return pieces;
}

/** `place` as errors name the server. */
export function tooLarge(
  verb: string,
  { bytes, bytesMax, place }: { readonly bytes: number; readonly bytesMax: number; readonly place: string },
): LongshoreError {
  return new LongshoreError(
    'PAYLOAD_TOO_LARGE',
    `${verb} takes ${bytes} bytes; Redis at ${place} is sent at most ${bytesMax} in one call, since that is one transaction. Nothing was sent. Make several calls of fewer items each; where one item is that large, store its data elsewhere and send a reference.`,
    { details: { verb, bytes, bytesMax } },
  );
}
