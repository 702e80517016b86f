import type { Clock } from '../core/clock.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { Tracing } from '../core/tracing.ts';
import type { Planner } from '../flow/planner.ts';
import type { Schedules } from '../schedule/schedules.ts';
import type { Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import type { Sensor } from '../tuner/sensor.ts';
import type { WorkerSettings } from './settings.ts';
import type { WorkerGauges, WorkerHealth } from './trouble.ts';

/** What the composition root hands over. */
export interface WorkerParts {
  readonly store: Store;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly codec: PayloadCodec;
  readonly tracing: Tracing | null;
  /** Decides what follows in runs whose jobs end here. */
  readonly planner: Planner;
  readonly schedules: Pick<Schedules, 'upsertAll'>;
  readonly fileSettings: Partial<WorkerSettings>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The workers that run: each is in here from its start to its stop. */
  readonly live: Set<LiveWorker>;
  /** What the tuner reads; undefined: this machine. */
  readonly sensor?: Sensor | undefined;
  /** [0, 1). */
  readonly random: () => number;
}

/** As much of a started worker as the connection it lives on must know. */
export interface LiveWorker {
  stop(): Promise<void>;
  health(): WorkerHealth;
  gauges(): WorkerGauges;
}
