import { LongshoreError, show } from './errors.ts';
import { peersOf, plainName } from './peer-names.ts';

/**
 * Guards of the public entries: an option that nobody knows is refused and the one that was meant is named, since a
 * misspelt option would be passed over in silence. An option that is `undefined` counts as absent.
 */
export type KnownNames = ReadonlySet<string>;

/** The names of an options interface. The compiler demands that none is left out. */
export function knownNames<Options>(names: Readonly<Record<keyof Options, true>>): KnownNames {
  return new Set(Object.keys(names));
}

/**
 * Throws OPTION_INVALID unless `options` is an object that has none but `known` names, or absent. `what` is the call or
 * the option that takes them. On the hot path of enqueue: it costs one look into a set for each option that was given.
 */
export function requireKnown(what: string, options: unknown, known: KnownNames): void {
  if (options !== undefined) requireOptions(what, options, known);
}

/** The same for options that must not be absent. */
export function requireOptions(what: string, options: unknown, known: KnownNames): void {
  const unknown = unknownIn(options, known);
  if (unknown === null) return;
  throw unknown === NO_OPTIONS
    ? notOptions(what, options, known)
    : unknownName(`${what} has no option`, unknown, known);
}

const NO_OPTIONS = Symbol('no options');

/** The first name that is not known; null where all are. */
function unknownIn(options: unknown, known: KnownNames): string | null | typeof NO_OPTIONS {
  if (typeof options !== 'object' || options === null) return NO_OPTIONS;
  try {
    if (Array.isArray(options)) return NO_OPTIONS;
    let isGiven = false;
    for (const name in options) {
      isGiven = true;
      if (!known.has(name) && Object.hasOwn(options, name) && isSet(options, name)) return name;
    }
    // A Promise, a Map or a Date has no names of its own: it would count as "no options".
    return isGiven || isPlainObject(options) ? null : NO_OPTIONS;
  } catch {
    return NO_OPTIONS; // a revoked proxy
  }
}

function isSet(options: object, name: string): boolean {
  return (options as Readonly<Record<string, unknown>>)[name] !== undefined;
}

function notOptions(what: string, options: unknown, known: KnownNames): LongshoreError {
  const shown = show(options);
  const expected = `an object with ${[...known].join(', ')}${adviceFor(options)}`;
  return new LongshoreError('OPTION_INVALID', `${what} was given ${shown}; expected ${expected}.`, {
    details: { field: what, value: shown, expected },
  });
}

/** Made of braces or without a prototype, in this realm or another. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (Array.isArray(value)) return false;
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === null || Object.getPrototypeOf(prototype) === null;
  } catch {
    return false; // a revoked proxy
  }
}

/** What may have gone wrong where an object of another kind than the expected one was given. */
export function adviceFor(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  try {
    const { then } = value as { then?: unknown };
    return typeof then === 'function' ? '; did you forget await?' : '';
  } catch {
    return ''; // a revoked proxy
  }
}

/** OPTION_INVALID for a name that is not among `known`, with the one that was probably meant. `problem` ends before the name. */
export function unknownName(problem: string, name: string, known: Iterable<string>): LongshoreError {
  const names = [...known];
  const { meant, note } = meaningOf(name, names);
  const said =
    meant !== null
      ? `; did you mean ${show(meant)}?${note === null ? '' : ` ${note}`}`
      : `; ${note ?? `known are ${names.join(', ')}.`}`;
  return new LongshoreError('OPTION_INVALID', `${problem} ${show(name)}${said}`, {
    details: { field: name, meant, known: names },
  });
}

interface Meaning {
  readonly meant: string | null;
  readonly note: string | null;
}

function meaningOf(name: string, known: readonly string[]): Meaning {
  const plain = plainName(name);
  const own = known.find((one) => plainName(one) === plain || plainName(lastPart(one)) === plain);
  if (own !== undefined) return { meant: own, note: unitOf(own, name) };
  for (const { ours, note } of peersOf(plain)) {
    if (ours === null) return { meant: null, note };
    if (known.includes(ours)) return { meant: ours, note: note ?? unitOf(ours, name) };
  }
  return { meant: nearest(name, known, SLIPS_MAX), note: null };
}

/** Letters that are wrong: with more, another option is as likely to be meant. */
const SLIPS_MAX = 2;

/** `completed` of `job.completed`. */
function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function unitOf(ours: string, theirs: string): string | null {
  return ours.endsWith('Ms') && !theirs.endsWith('Ms') ? 'It is in milliseconds.' : null;
}

/** The word of `words` that `given` is probably a misspelling of, with at most `slips` letters wrong. */
export function nearest(given: string, words: Iterable<string>, slips = 3): string | null {
  let best: string | null = null;
  let bestDistance = Math.min(slips, Math.ceil(given.length * 0.4)) + 1;
  for (const word of words) {
    const distance = editDistance(given.toLowerCase(), word.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [word, distance];
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
