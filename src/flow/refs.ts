import { LongshoreError, show } from '../core/errors.ts';
import { pathText, refTo, type Template } from '../core/flow/template.ts';

/**
 * References to values that are known when a step starts, as a flow's author writes them: `checked.items`, `run.id`.
 * Each is a proxy that notes the path taken; what it stands for is data (core/flow/template.ts).
 */
declare const VALUE: unique symbol;

/** Something that will be a `T`. */
export interface Marker<out T> {
  readonly [VALUE]: T;
}

/** A reference and all that lies below it. */
export type Ref<T> = Marker<T> &
  // Nothing is known of `any`, so anything may lie below it.
  (0 extends 1 & T
    ? // biome-ignore lint/suspicious/noExplicitAny: it is what the author said.
      { readonly [key: string]: any }
    : Below<NonNullable<T>>);

type Below<T> = T extends readonly (infer Item)[]
  ? { readonly [index: number]: Ref<Item> }
  : T extends object
    ? { readonly [K in keyof T]-?: Ref<T[K]> }
    : unknown;

/** A `T`, a reference to one, or a `T` with references in it. */
export type Shape<T> =
  | T
  | Marker<T>
  | (T extends readonly (infer Item)[]
      ? readonly Shape<Item>[]
      : T extends object
        ? { readonly [K in keyof T]: Shape<T[K]> }
        : never);

/** The value that a reference stands for; `never` for what is no reference. */
export type ValueOf<R> = R extends Marker<infer T> ? T : never;

interface Noted {
  readonly source: string;
  readonly path: readonly string[];
  readonly fallback?: unknown;
}

const NOTED = Symbol('longshore.ref');

export function makeRef(source: string, path: readonly string[] = [], extra: object = {}): never {
  const noted: Noted = { source, path };
  return new Proxy(() => undefined, {
    get(_, key) {
      if (key === NOTED) return noted;
      if (Object.hasOwn(extra, key)) return Reflect.get(extra, key);
      if (key === 'toJSON' || key === Symbol.toPrimitive || key === 'valueOf' || key === 'toString')
        throw notAValue(noted);
      if (typeof key === 'symbol' || key === 'then') return undefined;
      return makeRef(source, [...path, key]);
    },
    apply() {
      throw notAValue(noted);
    },
  }) as never;
}

/** A reference whose path may lead nowhere: then `fallback`, null unless given. */
export function optional<T, F = null>(
  ref: Marker<T>,
  fallback: F = null as F,
): Marker<Exclude<T, undefined> | (F extends Marker<infer V> ? V : F)> {
  const noted = notedIn(ref);
  if (noted === null) return ref as never;
  return { [NOTED]: { ...noted, fallback } } as never;
}

export function isRef(value: unknown): boolean {
  return notedIn(value) !== null;
}

/** `validate.items`; null for what is no reference. */
export function refText(value: unknown): string | null {
  const noted = notedIn(value);
  return noted === null ? null : pathText([noted.source, ...noted.path]);
}

function notedIn(value: unknown): Noted | null {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return null;
  return (value as { [NOTED]?: Noted })[NOTED] ?? null;
}

/** Deeper data is most likely a circle. */
const DEPTH_MAX = 100;

/** What an author wrote, as data. Throws FLOW_INVALID for what no JSON can say. */
export function templateOf(value: unknown, what: string, depth = 0): Template {
  if (depth > DEPTH_MAX)
    throw new LongshoreError(
      'FLOW_INVALID',
      `${what.slice(0, 60)}… is nested more than ${DEPTH_MAX} deep, or holds itself; expected plain data.`,
    );
  const noted = notedIn(value);
  if (noted !== null) {
    const ref = refTo(noted.source, noted.path) as { $ref: string[] };
    return 'fallback' in noted ? { ...ref, $else: templateOf(noted.fallback, what, depth + 1) } : ref;
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value))
    return value.map((part, index) => templateOf(part, `${what}[${index}]`, depth + 1));
  if (
    typeof value !== 'object' ||
    value === undefined ||
    Object.prototype.toString.call(value) !== '[object Object]'
  )
    throw new LongshoreError(
      'FLOW_INVALID',
      `${what} is ${show(value)}; expected plain data and references such as run.id.`,
    );
  const parts = Object.entries(value).filter(([, part]) => part !== undefined);
  const made = Object.fromEntries(
    parts.map(([key, part]) => [key, templateOf(part, `${what}.${key}`, depth + 1)]),
  );
  return '$ref' in made || '$literal' in made ? { $literal: made } : made;
}

function notAValue({ source, path }: Noted): LongshoreError {
  const text = pathText([source, ...path]);
  return new LongshoreError(
    'FLOW_INVALID',
    `${text} is not known while the flow is defined; it stands for what will be there when the step starts. Compute with it in a task.`,
    { details: { ref: text } },
  );
}
