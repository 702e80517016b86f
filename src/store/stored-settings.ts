import type { Ageing } from '../core/ageing.ts';
import { TERMINAL_STATES } from '../core/job-state.ts';
import type { QueueLimits } from '../core/limits.ts';
import type { Retention } from './store.ts';

/**
 * Whether settings that a store read are what `configureQueue` writes. Another program may have damaged them. The jobs of a
 * queue whose settings cannot be read wait, as if it were paused: nobody knows what it allows. All other queues go on.
 */

/** The value of JSON; undefined where it is none. */
export function parseStored(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function isLimits(value: unknown): value is QueueLimits {
  if (!isObject(value) || !isObject(value.perKey)) return false;
  const { concurrency, rate, perKey } = value;
  return (
    isNumberOrNull(concurrency) && isRate(rate) && isNumberOrNull(perKey.concurrency) && isRate(perKey.rate)
  );
}

export function isRetention(value: unknown): value is Retention {
  if (!isObject(value)) return false;
  return TERMINAL_STATES.every((state) => {
    const keep = value[state];
    if (!isObject(keep)) return false;
    return [keep.ageMs, keep.count, keep.bytes ?? null].every(isNumberOrNull);
  });
}

export function isAgeing(value: unknown): value is Ageing {
  return isObject(value) && typeof value.everyMs === 'number' && typeof value.floor === 'number';
}

function isRate(value: unknown): boolean {
  if (value === null) return true;
  return isObject(value) && typeof value.count === 'number' && typeof value.perMs === 'number';
}

export function isNumberOrNull(value: unknown): value is number | null {
  return value === null || typeof value === 'number';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
