import { optionInvalid, requireInteger, requireMs } from './errors.ts';
import { knownNames, requireOptions } from './options.ts';

/**
 * Ageing of a queue: a job that waits for long comes before newer ones of a better priority, sooner or later, so that
 * none waits for ever. The store sweeps the queue once every `everyMs`; each sweep gives every ready job that has
 * waited at least `everyMs` a priority lower by one, which is one place better, but none below `floor`.
 */
export interface Ageing {
  /** Time between two sweeps, and the least a job has waited; at least 1 s. */
  readonly everyMs: number;
  /** Priorities are lowered down to this one; jobs at or below it stay as they are. */
  readonly floor: number;
}

const AGEING = knownNames<Ageing>({ everyMs: true, floor: true });

const EVERY_MIN_MS = 1_000;
const PRIORITY_MAX = 2 ** 31 - 1;

/** Throws OPTION_INVALID. */
export function requireAgeing(field: string, ageing: unknown): Ageing {
  if (typeof ageing !== 'object' || ageing === null)
    throw optionInvalid(field, ageing, 'an object { everyMs, floor }, or null for no ageing');
  requireOptions(field, ageing, AGEING);
  const { everyMs, floor } = ageing as Partial<Ageing>;
  if (requireMs(`${field}.everyMs`, everyMs) < EVERY_MIN_MS)
    throw optionInvalid(`${field}.everyMs`, everyMs, `at least ${EVERY_MIN_MS} milliseconds`);
  requireInteger(`${field}.floor`, floor, -PRIORITY_MAX, PRIORITY_MAX);
  return { everyMs: Math.ceil(everyMs as number), floor: floor as number };
}

/** How long until the next sweep; 0 = now. A clock that stepped back far does not put it off for as long. */
export function untilSweepMs({ everyMs }: Ageing, sweptAt: number, now: number): number {
  return Math.max(0, everyMs - Math.abs(now - sweptAt));
}
