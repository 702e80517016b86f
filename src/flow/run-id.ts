import type { Clock } from '../core/clock.ts';
import { optionInvalid, requireName } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { JobMeta } from '../core/meta.ts';
import { sortedJson } from '../core/unique.ts';
import type { AnyFlow } from './flow.ts';

export interface RunStartOptions {
  /**
   * The run's id, 1 to 200 characters without `>`: a second start with the same one starts nothing and returns the run there
   * is (`status` is `existing`). Default: a new one.
   */
  readonly id?: string;
  /** `strict`: the same flow and input is the same run, as long as that is kept. Excludes `id`. */
  readonly identity?: 'new' | 'strict';
  /** What all jobs of the run carry: correlation id, trace context, tags. */
  readonly meta?: JobMeta;
}

/** The id of a run that starts: given, a new one, or one that flow and input make. Throws OPTION_INVALID. */
export function runIdFor(
  flow: AnyFlow,
  input: unknown,
  { id, identity = 'new' }: RunStartOptions,
  clock: Clock,
): string {
  if (id !== undefined && identity === 'strict')
    throw optionInvalid('identity', identity, 'to be left out when id is given');
  if (id !== undefined) {
    // Runs that are steps of others have ids with it.
    if (requireRunId(id).includes('>')) throw optionInvalid('id', id, "a text without '>'");
    return id;
  }
  if (identity === 'new') return newId(clock.now());
  if (identity !== 'strict') throw optionInvalid('identity', identity, "'new' or 'strict'");
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `${flow.name}-${createHash('sha256').update(sortedJson(input)).digest('base64url').slice(0, 22)}`.replaceAll(
    '>',
    '_',
  );
}

export function requireRunId(id: unknown): string {
  return requireName('id', id);
}
