import { createHash } from 'node:crypto';
import Type from 'typebox';
import { LongshoreError } from '../core/errors.ts';
import { sortedJson } from '../core/unique.ts';
import { Closed, Name } from './forms.ts';

/**
 * `Idempotency-Key`: what is made gets its id from the key, so that a repeat meets it in the store, whichever server it
 * comes to, for as long as the store keeps it. Nothing else is remembered.
 */
export const IDEMPOTENCY_KEY = 'Idempotency-Key';

export const IdempotencyHeader = Closed({
  [IDEMPOTENCY_KEY]: Type.Optional(
    Name('A repeat with the same key makes nothing anew, and is answered alike', 255),
  ),
});

/** UUIDs (version 8, RFC 9562) of the things that one request makes. Callers do not meet each other's keys. */
export function idsOf(key: string, caller: string, what: string): (index: number) => string {
  return (index) => {
    const text = JSON.stringify([caller, what, key, index]);
    const hex = createHash('sha256').update(text).digest('hex');
    const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
}

/** Throws HTTP_KEY_REUSED unless the thing that is there is what was asked for. */
export function requireSame(key: string, there: unknown, asked: unknown): void {
  if (sortedJson(there) === sortedJson(asked)) return;
  throw new LongshoreError(
    'HTTP_KEY_REUSED',
    `The Idempotency-Key ${JSON.stringify(key)} was used for another request; use a new one.`,
    { details: { key } },
  );
}
