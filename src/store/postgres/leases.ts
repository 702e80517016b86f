/**
 * Leases, one row of the table `lease` a claimed batch of a queue. A job's token is `<lease>.<seq>.<id>`: the lease's number
 * fences (it never repeats), the seq finds the row, the id tells that the token is this job's, so that the database is not
 * asked. A job is held while its column `lease` has that number, or while it is fresh and the lease lists it.
 */
export interface Token {
  readonly lease: number;
  readonly seq: number;
}

export function tokenOf(lease: number, seq: number, id: string): string {
  return `${lease}.${seq}.${id}`;
}

/** Null for what no claim ever gave for this job. */
export function parseToken(token: string, id: string): Token | null {
  const dot = token.indexOf('.');
  const lease = Number(token.slice(0, dot));
  const seq = Number(token.slice(dot + 1, token.length - id.length - 1));
  return Number.isSafeInteger(lease) && Number.isSafeInteger(seq) && token === tokenOf(lease, seq, id)
    ? { lease, seq }
    : null;
}
