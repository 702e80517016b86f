/** How two JSON values differ, leaf by leaf. Pure: no drawing. */
export interface Difference {
  /** Names and indexes from the top, as `pages.3.title`; empty for the values themselves. */
  readonly path: string;
  /** `ABSENT` where only the other value has it. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface Differences {
  /** The first `max` of them, in the order of the first value. */
  readonly shown: readonly Difference[];
  readonly count: number;
  /** Leaves that are the same on both sides. */
  readonly same: number;
  /** Leaves that the server hides on both sides: nobody here knows whether they are the same. */
  readonly hidden: number;
}

export const ABSENT = Symbol('absent');

/** As the server writes what a rule of redaction hides. */
const HIDDEN = '[redacted]';
const SHOWN_MAX = 200;

export function differencesOf(before: unknown, after: unknown, max = SHOWN_MAX): Differences {
  const found = { shown: [] as Difference[], count: 0, same: 0, hidden: 0 };
  // A list of what is left to look at, since values nest deeper than calls may.
  const left: Difference[] = [{ path: '', before, after }];
  for (let pair = left.pop(); pair !== undefined; pair = left.pop()) {
    const members = membersOf(pair);
    if (members !== null) left.push(...members.reverse());
    else if (pair.before === HIDDEN && pair.after === HIDDEN) found.hidden += 1;
    else if (isSame(pair.before, pair.after)) found.same += 1;
    else {
      found.count += 1;
      if (found.shown.length < max) found.shown.push(pair);
    }
  }
  return found;
}

/** Null where the two are compared as they are: leaves, and a list beside an object. */
function membersOf({ path, before, after }: Difference): Difference[] | null {
  if (!isBranch(before) || !isBranch(after) || Array.isArray(before) !== Array.isArray(after)) return null;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  if (names.length === 0) return null;
  return names.map((name) => ({
    path: path === '' ? name : `${path}.${name}`,
    before: member(before, name),
    after: member(after, name),
  }));
}

function isBranch(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function member(of: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(of, name) ? of[name] : ABSENT;
}

/** Of leaves, and of two empty branches of one kind. */
function isSame(before: unknown, after: unknown): boolean {
  if (before === after) return true;
  return isBranch(before) && isBranch(after) && Array.isArray(before) === Array.isArray(after);
}
