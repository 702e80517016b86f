import { knownNames, requireKnown, requireOptions } from '../core/options.ts';
import type { AnyTask } from '../core/task.ts';
import type { WorkerRole } from './roles.ts';
import { SETTINGS, type WorkerSettings } from './settings.ts';

/** What the calls of a worker take. */
export interface WorkerOptions extends Partial<WorkerSettings> {
  readonly tasks: readonly AnyTask[];
  /** What this worker does: run jobs (`processing`), look after the store (`scheduling`), or both, the default. */
  readonly roles?: readonly WorkerRole[];
}

export interface StartOptions {
  /** Default: those of the worker. */
  readonly roles?: readonly WorkerRole[];
}

export interface StopOptions {
  /** How long to wait for running jobs before their signals abort; default: the setting, 10 s. */
  readonly graceMs?: number;
}

const WORKER_OPTIONS: ReadonlySet<string> = new Set(['tasks', 'roles', ...SETTINGS]);
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
