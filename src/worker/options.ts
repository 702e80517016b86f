import { knownNames, requireKnown, requireOptions } from '../core/options.ts';
import type { AnyTask } from '../core/task.ts';
import type { Schedules } from '../schedule/schedules.ts';
import type { ScheduleSpec } from '../schedule/spec.ts';
import type { WorkerRole } from './roles.ts';
import { SETTINGS, type WorkerSettings } from './settings.ts';

/** What the calls of a worker take. */
export interface WorkerOptions extends Partial<WorkerSettings> {
  readonly tasks: readonly AnyTask[];
  /** What this worker does: run jobs (`processing`), look after the store (`scheduling`), or both, the default. */
  readonly roles?: readonly WorkerRole[];
  /**
   * Schedules by their names, which the worker brings into the store as it starts. Those of the same owner that the store has
   * and this does not are disabled.
   */
  readonly schedules?: Readonly<Record<string, ScheduleSpec>>;
  /** Tells the programs of one store apart that each have schedules of their own; default `code`. */
  readonly schedulesOwner?: string;
}

export interface StartOptions {
  /** Default: those of the worker. */
  readonly roles?: readonly WorkerRole[];
}

export interface StopOptions {
  /** How long to wait for running jobs before their signals abort; default: the setting, 10 s. */
  readonly graceMs?: number;
}

const WORKER_OPTIONS: ReadonlySet<string> = new Set([
  'tasks',
  'roles',
  'schedules',
  'schedulesOwner',
  ...SETTINGS,
]);
const START_OPTIONS = knownNames<StartOptions>({ roles: true });
const STOP_OPTIONS = knownNames<StopOptions>({ graceMs: true });

/** Throws OPTION_INVALID for an option that there is not. */
export function requireWorkerOptions(options: WorkerOptions): void {
  requireOptions('worker', options, WORKER_OPTIONS);
}

/** Throws OPTION_INVALID for an option that there is not. */
export function requireStartOptions(options: StartOptions): void {
  requireKnown('start', options, START_OPTIONS);
}

/** Throws OPTION_INVALID for an option that there is not. */
export function requireStopOptions(options: StopOptions): void {
  requireKnown('stop', options, STOP_OPTIONS);
}

/** Brings the schedules of a worker's options into the store. */
export function upsertOf(
  { schedules, schedulesOwner = 'code' }: WorkerOptions,
  store: Pick<Schedules, 'upsertAll'>,
): () => Promise<unknown> {
  return async () => (schedules === undefined ? null : store.upsertAll(schedulesOwner, schedules));
}
