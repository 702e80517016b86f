import type { JobState } from '../../core/job-state.ts';
import type { JobSpec } from '../store.ts';
import { isApart } from './inputs.ts';

/**
 * How jobs that differ in id and input alone cross to the store thread, as those of an enqueueMany without options of
 * their own do: as JSON that SQLite itself reads (enqueue.ts). The store thread handles a text for a thousand jobs
 * instead of ten values for each.
 */
export interface Alike {
  /** All jobs of all texts. */
  readonly packed: number;
  /** JSON objects, the inputs by id, in the order of the jobs. An id that is there twice is written twice. */
  readonly texts: readonly string[];
  readonly common: Common;
}

/** The receipts when none of them was there before. */
export interface AllCreated {
  readonly packed: number;
  readonly state: { readonly all: JobState };
}

/** What all of them have; `key`, `unique` and `meta` are null. */
export type Common = Omit<JobSpec, 'id' | 'input'>;

/** Bounds a text to some megabytes: inputs that are kept apart from their rows are not packed so. */
const TEXT_JOBS_MAX = 1_000;

/** Null when they differ in more, have keys or meta, or inputs too large for a row. */
export function packAlike(specs: readonly JobSpec[]): Alike | null {
  const [first] = specs;
  if (first === undefined || first.unique !== null || first.key !== null || first.meta != null) return null;
  if (!specs.every((spec) => isLike(spec, first) && !isApart(spec.input))) return null;
  const { id: _id, input: _input, ...common } = first;
  const texts: string[] = [];
  for (let from = 0; from < specs.length; from += TEXT_JOBS_MAX)
    texts.push(textOf(specs.slice(from, from + TEXT_JOBS_MAX)));
  return { packed: specs.length, texts, common };
}

function isLike(spec: JobSpec, first: JobSpec): boolean {
  return (
    spec.queue === first.queue &&
    spec.task === first.task &&
    spec.priority === first.priority &&
    spec.attemptsMax === first.attemptsMax &&
    spec.delayMs === first.delayMs &&
    spec.dueAt === first.dueAt &&
    spec.unique === null &&
    spec.key === null &&
    spec.meta == null
  );
}

/** Written by hand: an object would put ids that are numbers first, and could not hold one twice. */
function textOf(specs: readonly JobSpec[]): string {
  let text = '';
  for (const { id, input } of specs) text += `,${JSON.stringify(id)}:${JSON.stringify(input)}`;
  return `{${text.slice(1)}}`;
}
