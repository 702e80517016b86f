import { LongshoreError, optionInvalid, requireMs, requireName, requirePositiveMs, show } from './errors.ts';
import { type Backoff, type BackoffPolicy, requireBackoff } from './retry.ts';

/**
 * What is kept with a job apart from its payload, as JSON in the job's `meta`: what ties it to other things, and the
 * options of one enqueue that whichever worker runs the job has to know. Never encrypted. Stores carry the text along and
 * do not read it; jobs without any of it have null there.
 */

/** Given at enqueue; the handler finds it in `context.meta`. */
export interface JobMeta {
  /** Ties the job to what caused it, such as a request or an order; 1 to 200 characters. */
  readonly correlationId?: string;
  /** The trace the job belongs to, as W3C Trace Context writes it (https://www.w3.org/TR/trace-context). */
  readonly traceparent?: string;
  /** 1 to 512 characters. */
  readonly tracestate?: string;
  /** Up to 16, of 1 to 100 characters each. */
  readonly tags?: readonly string[];
}

/** A backoff that can be stored, which a function cannot. */
export type StoredBackoff = number | BackoffPolicy;

/** The options of an enqueue that are kept in the job's meta. */
export interface KeptOptions {
  readonly meta?: JobMeta;
  readonly backoff?: StoredBackoff;
  readonly timeoutMs?: number;
  /** See EnqueueOptions. For tracers alone: what is decoded of a meta does not have it. */
  readonly awaited?: boolean;
}

/** What a job's meta says. */
export interface KeptMeta {
  readonly correlationId: string | null;
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  readonly tags: readonly string[];
  /** Of a job that a schedule started, or of the run it started: its name; null for others. */
  readonly schedule: string | null;
  /** The time that the schedule's tick was meant for, in ms since the epoch. */
  readonly scheduledAt: number | null;
  /** Of this job alone; null: the task's. */
  readonly backoff: StoredBackoff | null;
  /** Of this job alone; null: the task's. */
  readonly timeoutMs: number | null;
}

export const NO_META: KeptMeta = Object.freeze({
  correlationId: null,
  traceparent: null,
  tracestate: null,
  tags: Object.freeze([]),
  schedule: null,
  scheduledAt: null,
  backoff: null,
  timeoutMs: null,
});

/** What a schedule adds to the meta of what it starts. */
export interface TickMeta {
  readonly schedule: string;
  readonly scheduledAt: number;
}

/** The meta of one start of a schedule. */
export function tickMeta(meta: string | null, tick: TickMeta): Record<string, unknown> {
  return { ...(meta === null ? {} : (JSON.parse(meta) as object)), ...tick };
}

/** Null where nothing is to be kept. `inherited`: see inherited.ts. Throws OPTION_INVALID. */
export function encodeMeta(
  { meta, backoff, timeoutMs, awaited }: KeptOptions,
  inherited: JobMeta | null = null,
): string | null {
  const isBare = meta === undefined && backoff === undefined && timeoutMs === undefined;
  if (isBare && awaited === undefined && inherited === null) return null;
  const kept = {
    ...withInherited(meta === undefined ? {} : requireMeta(meta), inherited),
    ...(backoff === undefined ? {} : { backoff: requireStoredBackoff(backoff) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs: requirePositiveMs('timeoutMs', timeoutMs) }),
    ...(isAwaited(awaited) ? { awaited: true } : {}),
  };
  return Object.keys(kept).length === 0 ? null : JSON.stringify(kept);
}

function isAwaited(awaited: unknown): boolean {
  if (awaited === undefined || typeof awaited === 'boolean') return awaited === true;
  throw optionInvalid('awaited', awaited, 'true or false');
}

/** What is given wins; a trace of its own goes without the other one's state. */
function withInherited(given: JobMeta, inherited: JobMeta | null): JobMeta {
  if (inherited === null) return given;
  const { traceparent: _, tracestate: _state, ...rest } = inherited;
  return { ...(given.traceparent === undefined ? inherited : rest), ...given };
}

/** Throws PAYLOAD_CORRUPT. */
export function decodeMeta(text: string | null, jobId: string): KeptMeta {
  if (text === null) return NO_META;
  try {
    const stored = JSON.parse(text) as (KeptOptions & JobMeta & Partial<TickMeta>) | null;
    if (typeof stored !== 'object' || stored === null) throw new TypeError(`${show(stored)} is no object`);
    const { backoff, timeoutMs, correlationId, traceparent, tracestate, tags } = stored;
    const { schedule = null, scheduledAt = null } = stored;
    return {
      ...NO_META,
      ...requireMeta({ correlationId, tags, ...traceIn(traceparent, tracestate) } as JobMeta),
      schedule: schedule === null ? null : requireName('schedule', schedule),
      scheduledAt: scheduledAt === null ? null : requireMs('scheduledAt', scheduledAt),
      backoff: backoff === undefined ? null : requireStoredBackoff(backoff),
      timeoutMs: timeoutMs === undefined ? null : requireMs('timeoutMs', timeoutMs),
    };
  } catch (cause) {
    const message = `The stored meta of job ${jobId} cannot be read back: ${(cause as Error).message}`;
    throw new LongshoreError('PAYLOAD_CORRUPT', message, { cause, details: { id: jobId } });
  }
}

/** A trace context that is malformed is none, as its recommendation has it: no job is worth less for it. */
function traceIn(traceparent: unknown, tracestate: unknown): Pick<JobMeta, 'traceparent' | 'tracestate'> {
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return {};
  const keeps =
    typeof tracestate === 'string' &&
    /^[\x20-\x7e]+$/.test(tracestate) &&
    tracestate.length <= TRACESTATE_CHARS_MAX;
  return keeps ? { traceparent, tracestate } : { traceparent };
}

/** The correlation id in a stored meta, if there is one that can be read. */
export function correlationIdIn(meta: string | null): string | undefined {
  if (meta === null || !meta.includes('"correlationId"')) return undefined;
  try {
    const { correlationId } = JSON.parse(meta) as { correlationId?: unknown };
    return typeof correlationId === 'string' ? correlationId : undefined;
  } catch {
    return undefined;
  }
}

const TAGS_MAX = 16;
export const TAG_CHARS_MAX = 100;
const TRACESTATE_CHARS_MAX = 512;
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(-[\x20-\x7e]{1,200})?$/;

type Checks = { readonly [Field in keyof JobMeta]-?: (field: string, value: unknown) => unknown };

const CHECKS: Checks = {
  correlationId: (field, value) => requireName(field, value),
  traceparent: (field, value) => {
    if (typeof value === 'string' && TRACEPARENT.test(value)) return value;
    throw optionInvalid(field, value, 'version-traceId-parentId-flags in lower-case hexadecimal (W3C)');
  },
  tracestate: (field, value) => requireName(field, value, TRACESTATE_CHARS_MAX),
  tags: requireTags,
};

/** Only what is said. Throws OPTION_INVALID. */
function requireMeta(meta: JobMeta): JobMeta {
  const known = Object.keys(CHECKS).join(', ');
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta))
    throw optionInvalid('meta', meta, `an object with any of ${known}`);
  const said: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(meta)) {
    if (!Object.hasOwn(CHECKS, name))
      throw optionInvalid(`meta.${name}`, value, `to be left out: meta has ${known}`);
    if (value !== undefined) said[name] = CHECKS[name as keyof JobMeta](`meta.${name}`, value);
  }
  return said;
}

function requireTags(field: string, tags: unknown): readonly string[] {
  if (!Array.isArray(tags) || tags.length > TAGS_MAX)
    throw optionInvalid(field, tags, `an array of at most ${TAGS_MAX} tags`);
  return tags.map((tag, index) => requireName(`${field}[${index}]`, tag, TAG_CHARS_MAX));
}

function requireStoredBackoff(backoff: Backoff): StoredBackoff {
  if (typeof backoff === 'function') {
    throw optionInvalid(
      'backoff',
      backoff,
      'milliseconds or a policy: a function cannot be stored with a job; give it to the task',
    );
  }
  const checked = requireBackoff('backoff', backoff) as StoredBackoff;
  if (typeof checked === 'number') return checked;
  const { type, delayMs, maxMs, jitter } = checked;
  return {
    type,
    delayMs,
    ...(maxMs === undefined ? {} : { maxMs }),
    ...(jitter === undefined ? {} : { jitter }),
  };
}
