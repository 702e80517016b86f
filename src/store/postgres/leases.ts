/**
 * Leases, one row of the table `lease` a claimed batch of a queue. A job's token is `<lease>.<seq>`: the lease's number
 * fences (it never repeats), the seq finds the row. A job is held while its column `lease` has that number.
 */
export interface Token {
  readonly lease: number;
  readonly seq: number;
}

/** Null for what no claim ever gave. */
export function parseToken(token: string): Token | null {
  const dot = token.indexOf('.');
  const lease = Number(token.slice(0, dot));
  const seq = Number(token.slice(dot + 1));
  return Number.isSafeInteger(lease) && Number.isSafeInteger(seq) && token === `${lease}.${seq}`
    ? { lease, seq }
    : null;
}
