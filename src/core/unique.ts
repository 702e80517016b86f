import { optionInvalid, requireMs, requireName } from './errors.ts';
import { knownNames, requireOptions } from './options.ts';

/**
 * Unique keys. A key is held from enqueue until its job ends; with `periodMs` at least that long, whichever is later.
 * The period runs from the enqueue that added the job or was the last to replace its values.
 *
 * | mode       | when the key is held |
 * |------------|----------------------|
 * | `reject`   | UNIQUE_CONFLICT, naming the holder |
 * | `existing` | the holder's handle is returned |
 * | `replace`  | a waiting holder takes the new queue, task, input, meta, priority, attempts and time; a running or ended one is left alone and a new job is added, which takes the key over |
 * | `debounce` | like replace, and the job is due `periodMs` after the LAST enqueue, whatever delay was asked for: the last input always runs; with `maxWaitMs` it is due at the latest so long after the FIRST |
 * | `throttle` | the holder's handle is returned until `periodMs` after the FIRST enqueue, even when its job has ended |
 *
 * A job that is removed or cleared gives its key up at once. A redriven job takes its key again if nobody holds it.
 */
export type UniqueMode = 'reject' | 'existing' | 'replace' | 'debounce' | 'throttle';

export type UniqueScope = 'task' | 'queue' | 'store';

export interface UniqueOptions {
  /** 1 to 1,000 characters, at most 2,000 bytes. Default: the input itself (a digest of its JSON, whatever the order of its keys). */
  readonly key?: string;
  /** Default `existing`. */
  readonly mode?: UniqueMode;
  /** Where the key must be unique; default `task`. */
  readonly scope?: UniqueScope;
  /** Required by debounce and throttle. */
  readonly periodMs?: number;
  /** For debounce: the longest time, from the enqueue that added the waiting job, until it is due; default: no bound. */
  readonly maxWaitMs?: number;
}

const UNIQUE_OPTIONS = knownNames<UniqueOptions>({
  key: true,
  mode: true,
  scope: true,
  periodMs: true,
  maxWaitMs: true,
});

/** What a store needs to know. */
export interface UniqueSpec {
  /** Scope and key in one string; keyGiven takes them apart. */
  readonly key: string;
  readonly mode: UniqueMode;
  /** 0 = while the job lives. */
  readonly periodMs: number;
  /** Of mode `debounce`, at least `periodMs`; null and absent set no bound. */
  readonly maxWaitMs?: number | null;
}

/** When a debounced job that was added at `createdAt` is due, by its last enqueue, `now`. */
export function debouncedUntil(
  { periodMs, maxWaitMs }: Pick<UniqueSpec, 'periodMs' | 'maxWaitMs'>,
  createdAt: number,
  now: number,
): number {
  if (maxWaitMs == null) return now + periodMs;
  return Math.min(now + periodMs, Math.max(now, createdAt + maxWaitMs));
}

const MODES: readonly string[] = [
  'reject',
  'existing',
  'replace',
  'debounce',
  'throttle',
] satisfies UniqueMode[];

/** `digest` shortens the JSON of an input to a key. Throws OPTION_INVALID. */
export function uniqueSpec(
  options: UniqueOptions,
  of: { readonly task: string; readonly queue: string; readonly input: unknown },
  digest: (text: string) => string,
): UniqueSpec {
  requireOptions('unique', options, UNIQUE_OPTIONS);
  const { mode = 'existing', scope = 'task', periodMs = 0, maxWaitMs } = options;
  if (!MODES.includes(mode))
    throw optionInvalid('unique.mode', mode, MODES.map((name) => `'${name}'`).join(', '));
  requireMs('unique.periodMs', periodMs);
  if ((mode === 'debounce' || mode === 'throttle') && periodMs === 0) {
    throw optionInvalid(
      'unique.periodMs',
      options.periodMs,
      `a number of milliseconds above 0, which mode '${mode}' needs`,
    );
  }
  if (maxWaitMs !== undefined) requireMaxWait(mode, periodMs, maxWaitMs);
  const prefix = scopePrefix(scope, of.task, of.queue);
  // With the scope in it, equal inputs of different tasks do not show as equal.
  const key =
    options.key === undefined ? digest(prefix + sortedJson(of.input)) : requireUniqueKey(options.key);
  return { key: prefix + key, mode, periodMs, ...(maxWaitMs === undefined ? {} : { maxWaitMs }) };
}

function requireMaxWait(mode: UniqueMode, periodMs: number, maxWaitMs: number): void {
  if (mode !== 'debounce')
    throw optionInvalid(
      'unique.maxWaitMs',
      maxWaitMs,
      `to be left out for mode '${mode}': it bounds 'debounce'`,
    );
  if (requireMs('unique.maxWaitMs', maxWaitMs) < periodMs)
    throw optionInvalid('unique.maxWaitMs', maxWaitMs, `at least periodMs, which is ${periodMs}`);
}

/** What an index of every store can hold, beside the scope. */
const KEY_BYTES_MAX = 2_000;

function requireUniqueKey(given: unknown): string {
  const key = requireName('unique.key', given, 1_000);
  if (key.length * 3 <= KEY_BYTES_MAX || Buffer.byteLength(key) <= KEY_BYTES_MAX) return key;
  throw optionInvalid('unique.key', key, `at most ${KEY_BYTES_MAX} bytes in UTF-8`);
}

function scopePrefix(scope: UniqueScope, task: string, queue: string): string {
  switch (scope) {
    case 'task':
      return `task/${segment(task)}/`;
    case 'queue':
      return `queue/${segment(queue)}/`;
    case 'store':
      return 'store/';
    default:
      throw optionInvalid('unique.scope', scope, "'task', 'queue' or 'store'");
  }
}

/**
 * A name between slashes holds none itself, so that task `mail` with key `welcome/7` and task `mail/welcome` with key `7`
 * are two. The SQL function `enqueue` of the PostgreSQL store does the same.
 */
function segment(name: string): string {
  return /[%/]/.test(name) ? name.replaceAll('%', '%25').replaceAll('/', '%2F') : name;
}

/** The key as it was given (or the digest of the input), of one that a store keeps. */
export function keyGiven(stored: string): string {
  return stored.replace(/^(?:store|(?:task|queue)\/[^/]*)\//, '');
}

/** Equal inputs give equal text, whatever the order of their keys. */
export function sortedJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, item: unknown) => {
      if (item === null || typeof item !== 'object' || Array.isArray(item)) return item;
      // Without a prototype, so that a key named __proto__ is a key like any other.
      const sorted: Record<string, unknown> = Object.create(null);
      for (const key of Object.keys(item).sort()) sorted[key] = (item as Record<string, unknown>)[key];
      return sorted;
    }) ?? ''
  );
}
