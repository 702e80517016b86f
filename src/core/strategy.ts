import { optionInvalid } from './errors.ts';

/**
 * The rule that picks a lane for a task: `async` on the event loop, `thread` in a worker thread, `process` in a child
 * process, `auto` by the task's hint or, without one, by measurement.
 */
export const STRATEGIES = ['async', 'thread', 'process', 'auto'] as const;

export type Strategy = (typeof STRATEGIES)[number];

/** What a handler is like: it computes (`cpu`), it waits (`io`), or it may take its host down (`isolate`). */
export const HINTS = ['cpu', 'io', 'isolate'] as const;

export type Hint = (typeof HINTS)[number];

/** Throws OPTION_INVALID. */
export function requireStrategy(field: string, strategy: unknown): Strategy {
  if (STRATEGIES.includes(strategy as Strategy)) return strategy as Strategy;
  throw optionInvalid(field, strategy, "'async', 'thread', 'process' or 'auto'");
}

/** Throws OPTION_INVALID. */
export function requireHint(field: string, hint: unknown): Hint {
  if (HINTS.includes(hint as Hint)) return hint as Hint;
  throw optionInvalid(field, hint, "'cpu', 'io' or 'isolate'");
}
