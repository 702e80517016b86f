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

/** Null for what no claim ever gave for this job. Read digit by digit: done once for each job that ends. */
export function parseToken(token: string, id: string): Token | null {
  const end = token.length - id.length - 1;
  const dot = token.indexOf('.');
  if (dot >= end || token.charCodeAt(end) !== DOT || !token.endsWith(id)) return null;
  const lease = numberIn(token, 0, dot);
  const seq = numberIn(token, dot + 1, end);
  return Number.isSafeInteger(lease) && Number.isSafeInteger(seq) ? { lease, seq } : null;
}

const DOT = 46;
const ZERO = 48;

/** NaN unless it is written as a number is: no sign, no zero ahead of it. */
function numberIn(text: string, start: number, end: number): number {
  if (start >= end || (text.charCodeAt(start) === ZERO && end - start > 1)) return Number.NaN;
  let number = 0;
  for (let place = start; place < end; place += 1) {
    const digit = text.charCodeAt(place) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}
