import type { Clock } from '../core/clock.ts';
import { optionInvalid, requireName } from '../core/errors.ts';
import type { RunState } from '../core/flow/run.ts';
import { newId } from '../core/ids.ts';
import type { JobMeta } from '../core/meta.ts';
import { knownNames } from '../core/options.ts';
import { sortedJson } from '../core/unique.ts';
import type { AnyFlow } from './flow.ts';
import { digestOf } from './part-id.ts';
import { RUN_ID_MAX } from './run-plan.ts';

/** What flows.ts is given, and the ids of runs. */

export interface RunStartOptions {
  /**
   * The run's id, 1 to 200 characters without `>`: a second start with the same one starts nothing and returns the run there
   * is (`status` is `existing`). Default: a new one.
   */
  readonly id?: string;
  /** `strict`: the same flow and input is the same run, as long as that is kept. Excludes `id`. */
  readonly identity?: 'new' | 'strict';
  /** What all jobs of the run carry: correlation id, trace context, tags. The first two are inherited in a handler. */
  readonly meta?: JobMeta;
}

export interface RunListOptions {
  readonly flow?: string;
  readonly state?: RunState | readonly RunState[];
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** Who acts and why: kept in the run's audit trail. */
export interface RunActionOptions {
  /** 1 to 200 characters; default `api`. */
  readonly by?: string;
  readonly why?: string;
}

export interface RunCancelOptions extends RunActionOptions {
  /** Undo what completed; default false. */
  readonly compensate?: boolean;
}

export interface RunRetryOptions extends RunActionOptions {
  /** Replaces the input of a step that is a job, a loop or a run. */
  readonly input?: unknown;
}

export const START_OPTIONS = knownNames<RunStartOptions>({ id: true, identity: true, meta: true });
export const LIST_OPTIONS = knownNames<RunListOptions>({
  flow: true,
  state: true,
  limit: true,
  cursor: true,
});
export const ACTION_OPTIONS = knownNames<RunActionOptions>({ by: true, why: true });
export const CANCEL_OPTIONS = knownNames<RunCancelOptions>({ by: true, why: true, compensate: true });
export const RETRY_OPTIONS = knownNames<RunRetryOptions>({ by: true, why: true, input: true });

/** Throws OPTION_INVALID. */
export function idOf(
  flow: AnyFlow,
  input: unknown,
  { id, identity = 'new' }: RunStartOptions,
  clock: Clock,
): string {
  if (id !== undefined && identity === 'strict')
    throw optionInvalid('identity', identity, 'to be left out when id is given');
  if (id !== undefined) {
    // Runs that are steps of others have ids with it.
    if (requireName('id', id, ID_MAX).includes('>')) throw optionInvalid('id', id, "a text without '>'");
    return id;
  }
  if (identity === 'new') return newId(clock.now());
  if (identity !== 'strict') throw optionInvalid('identity', identity, "'new' or 'strict'");
  const name = flow.name
    .slice(0, ID_MAX - 23)
    .toWellFormed()
    .replaceAll('>', '_');
  return `${name}-${digestOf(sortedJson([flow.name, input]))}`;
}

/** Of ids that programs give. */
const ID_MAX = 200;

/** Also of child runs. Throws OPTION_INVALID. */
export function requireId(id: unknown): string {
  return requireName('id', id, RUN_ID_MAX);
}
