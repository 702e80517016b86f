import type { JobRecord } from './record.ts';

/**
 * A lease's token: `<batch>.<seq>.<attempt>.<attemptsMax>.<crashes>`. The batch's number fences: it never repeats, and the
 * job's record has it while the lease lasts. The rest cannot change meanwhile; with it the settle rule can be asked before
 * the store is, so that every outcome takes one round trip.
 */
export interface Token {
  readonly batch: number;
  readonly seq: number;
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly crashes: number;
}

export function tokenOf({ batch, seq, attempt, attemptsMax, crashes }: JobRecord): string {
  return `${batch}.${seq}.${attempt}.${attemptsMax}.${crashes}`;
}

/** Each number as it is written, without zeros before it. */
const TOKEN = /^([1-9]\d{0,13})\.([1-9]\d{0,13})\.([1-9]\d{0,7})\.([1-9]\d{0,15})\.(0|[1-9]\d{0,4})$/;

/** Null for what no claim ever gave. */
export function parseToken(token: string): Token | null {
  const [, batch, seq, attempt, attemptsMax, crashes] = TOKEN.exec(token) ?? [];
  if (crashes === undefined) return null;
  return {
    batch: Number(batch),
    seq: Number(seq),
    attempt: Number(attempt),
    attemptsMax: Number(attemptsMax),
    crashes: Number(crashes),
  };
}
