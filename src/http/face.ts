import type { AnyDeclaration } from '../core/task.ts';
import type { Flows } from '../flow/flows.ts';
import type { Trace } from '../flow/trace.ts';
import type { Health, HealthOptions } from '../health.ts';
import type { AuditLog } from '../queue/audit-log.ts';
import type { EnqueueOptions } from '../queue/enqueue.ts';
import type { ListenOptions } from '../queue/far-events.ts';
import type { JobHandle } from '../queue/job-handle.ts';
import type { Jobs } from '../queue/jobs.ts';
import type { Queues } from '../queue/queues.ts';
import type { Schedules } from '../schedule/schedules.ts';
import type { WorkerRecord } from '../store/store.ts';
import type { EventListener, EventName } from '../telemetry/events.ts';

/** What the API uses of a `Longshore`: its public face. */
export interface Face {
  readonly jobs: Jobs;
  readonly queues: Queues;
  readonly flows: Flows;
  readonly schedules: Schedules;
  readonly audit: AuditLog;
  enqueue(
    task: AnyDeclaration | string,
    input?: unknown,
    options?: EnqueueOptions,
  ): Promise<JobHandle<unknown>>;
  enqueueMany(
    task: AnyDeclaration | string,
    inputs: readonly unknown[],
    options?: (input: unknown, index: number) => EnqueueOptions,
  ): Promise<JobHandle<unknown>[]>;
  workers(): Promise<WorkerRecord[]>;
  trace(id: string): Promise<Trace | null>;
  health(options?: HealthOptions): Promise<Health>;
  on<Name extends EventName>(name: Name, listener: EventListener<Name>, options?: ListenOptions): () => void;
}
