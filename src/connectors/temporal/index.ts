import type { AnyTask, TaskGiven, TaskResult } from '../../core/task.ts';
import type { TemporalWorkerOptions } from './options.ts';
import { TemporalWorker } from './worker.ts';

/**
 * `longshore/temporal`: a worker for a Temporal server whose activities are tasks of Longshore, in its lanes and slots. Needs the
 * packages `@temporalio/worker`, `@temporalio/activity` and, for workflows, `@temporalio/workflow`.
 * The SDK polls, replays workflows and talks to the server (worker.ts); each activity goes to a runner (activities.ts), which
 * knows nothing of Temporal; what the tuner allows, the SDK is given as permits (slots.ts). Nothing here touches a store.
 */

export { temporalMetrics } from './metrics.ts';
export type { TemporalConnection, TemporalTls, TemporalWorkerOptions } from './options.ts';
export { type TemporalRuntime, type TemporalRuntimeOptions, temporalRuntime } from './runtime.ts';
export type {
  FixedTuner,
  LongshoreTuner,
  ResourceTuner,
  SlotBounds,
  SlotRange,
  TemporalTuner,
} from './tuner.ts';
export { TemporalWorker } from './worker.ts';

/** The functions that workflows call activities by: `proxyActivities<ActivitiesOf<typeof activities>>({ … })`. */
export type ActivitiesOf<Tasks extends Readonly<Record<string, AnyTask>>> = {
  readonly [Name in keyof Tasks]: (
    input: TaskGiven<Tasks[Name]>,
  ) => Promise<Awaited<TaskResult<Tasks[Name]>>>;
};

/** A worker for one task queue; it does nothing until started. Throws OPTION_INVALID, TASK_INVALID, TASK_DUPLICATE. */
export function temporalWorker(options: TemporalWorkerOptions): TemporalWorker {
  return new TemporalWorker(options);
}
