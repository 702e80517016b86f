import type { AnyTask, JobContext } from '../core/task.ts';

/**
 * A lane: where handler code runs. The executor hands it a task and a context and gets the handler's result or
 * error back; everything else (validation, timeouts, settling) is the executor's.
 */
export interface Lane {
  /** As shown to users, e.g. `inline`. */
  readonly name: string;
  /** The handler's return value, or a promise of it; throws or rejects with whatever the handler threw. */
  run(task: AnyTask, context: JobContext<unknown>): unknown;
  close(): Promise<void>;
}
