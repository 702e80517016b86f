/** The public names of the package; everything else is internal. Stores' authors: `longshore/store`; tests: `longshore/testing`. */
export type { EncryptionKey, EncryptionOptions } from './cipher.ts';
export { type ConnectOptions, connect, Longshore } from './connect.ts';
export type { Ageing } from './core/ageing.ts';
export type { Clock } from './core/clock.ts';
export {
  declareTask,
  implementTask,
  type TaskDefaults,
  type TaskMakers,
  taskDefaults,
} from './core/declaration.ts';
export {
  type AttemptError,
  ERROR_CODES,
  type ErrorCode,
  LongshoreError,
  RetryAfterError,
  SnoozeError,
  UnrecoverableError,
} from './core/errors.ts';
export type { AuditEntry, Job, PriorityName } from './core/job.ts';
export type { Handler, JobContext, RunTransaction, WaitFor, WaitForOptions } from './core/job-context.ts';
export type { JobFlow } from './core/job-flow.ts';
export { JOB_STATES, type JobState } from './core/job-state.ts';
export type { Jsonified } from './core/jsonified.ts';
export type { KeyLimits, LimitsChange, QueueLimits, Rate } from './core/limits.ts';
export type { JobMeta, KeptMeta, StoredBackoff } from './core/meta.ts';
export type { Json } from './core/payload.ts';
export type { Backoff, BackoffFunction, BackoffPolicy } from './core/retry.ts';
export type { Missed, Overlap, ScheduleState } from './core/schedule/data.ts';
export type { Schema } from './core/schema.ts';
export type { Hint, Strategy } from './core/strategy.ts';
export {
  type AnyDeclaration,
  type AnyTask,
  defineTask,
  isTask,
  type Task,
  type TaskDeclaration,
  type TaskGiven,
  type TaskResult,
} from './core/task.ts';
export type {
  DeclarationOptions,
  HandlerOptions,
  JobDefaults,
  TaskKey,
  TaskOptions,
} from './core/task-options.ts';
export type { Phase, PhaseName, Ran, Sum } from './core/trace.ts';
export type { UniqueMode, UniqueOptions, UniqueScope } from './core/unique.ts';
export type { WaitOptions } from './core/wait.ts';
export type { Reason, ReasonCode, Why } from './core/why.ts';
export type { Profile } from './execution/auto.ts';
export type { LaneName } from './execution/lane.ts';
export type { Choice } from './execution/routes.ts';
export { defineFlow } from './flow/define.ts';
export type { AnyFlow, Flow, FlowGiven, FlowResult, FlowSignals } from './flow/flow.ts';
export type { Flows, RunOf } from './flow/flows.ts';
export { optional } from './flow/refs.ts';
export type { RunEnd, RunHandle } from './flow/run-handle.ts';
export type {
  RunActionOptions,
  RunCancelOptions,
  RunListOptions,
  RunRetryOptions,
  RunStartOptions,
} from './flow/run-options.ts';
export type { ItemsView, RunDetail, RunView, StepJob, StepView } from './flow/run-view.ts';
export type { StepWhy } from './flow/run-why.ts';
export type { Trace, TracedJob, TracedRun } from './flow/trace.ts';
export type { Health, HealthOptions } from './health.ts';
export { type NodeHandler, toNodeHandler } from './http/node.ts';
export type { Authorized, HttpHandler, HttpOptions, HttpToken, RequestFacts } from './http/options.ts';
export type { Caller, Role } from './http/roles.ts';
export type { AuditListOptions, AuditLog, AuditRecord, NewAudit } from './queue/audit-log.ts';
export type { CountOptions } from './queue/counts.ts';
export type { EnqueueArguments, EnqueueOptions } from './queue/enqueue.ts';
export type { ListenOptions } from './queue/far-events.ts';
export type { JobHandle } from './queue/job-handle.ts';
export type { JobStepView } from './queue/job-steps-view.ts';
export type { JobDetail, JobView, LogView, TypedDetail } from './queue/job-view.ts';
export type { ActionOptions, ActionReport, Jobs } from './queue/jobs.ts';
export type { ListOptions } from './queue/list-options.ts';
export { ALL_QUEUES, type Queues } from './queue/queues.ts';
export type { Criteria, Selection } from './queue/selection.ts';
export type { ScheduleDetail, ScheduleStart, ScheduleView } from './schedule/schedule-view.ts';
export type {
  BackfillOptions,
  BackfillReport,
  ScheduleActionOptions,
  ScheduleListOptions,
  Schedules,
} from './schedule/schedules.ts';
export type {
  FlowSchedule,
  ScheduleBehaviour,
  ScheduleSpec,
  ScheduleTiming,
  TaskSchedule,
} from './schedule/spec.ts';
export type { UpsertReport } from './schedule/upsert.ts';
export type {
  Keep,
  QueueRecord,
  QueueSettings,
  Retention,
  TaskProfile,
  WorkerRecord,
} from './store/store.ts';
export type { EventListener, EventName, Events } from './telemetry/events.ts';
export type { Logger } from './telemetry/log.ts';
export type { Sample } from './tuner/estimate.ts';
export type { Sensor } from './tuner/sensor.ts';
export type { TunerSettings } from './tuner/settings.ts';
export { VERSION } from './version.ts';
export type { Tally } from './worker/ended.ts';
export type { StartOptions, StopOptions, WorkerOptions } from './worker/options.ts';
export type { WorkerRole } from './worker/roles.ts';
export { WORKER_SETTINGS_DEFAULT, type WorkerSettings } from './worker/settings.ts';
export type { Trouble, WorkerGauges, WorkerHealth } from './worker/trouble.ts';
export type { Worker } from './worker/worker.ts';
