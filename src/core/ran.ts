import type { Ran } from './trace.ts';

/**
 * The line by which a worker writes down where and how long an attempt ran, in the log of a job with a correlation id: stores keep
 * neither once a job has ended.
 */
export const RAN = 'longshore: ran';

/** Null for other lines. `data`: decoded. */
export function ranOf({
  attempt,
  message,
  data,
}: {
  readonly attempt: number;
  readonly message: string;
  readonly data: unknown;
}): Ran | null {
  if (message !== RAN || typeof data !== 'object' || data === null) return null;
  const { worker, startedAt, runMs } = data as Partial<Record<keyof Ran, unknown>>;
  if (typeof worker !== 'string' || typeof startedAt !== 'number' || typeof runMs !== 'number') return null;
  return { attempt, worker, startedAt, runMs };
}
