import type { LongshoreError } from '../core/errors.ts';
import type { DuePlan, NewReport, Unit } from '../store/plans.ts';
import type { JobCommand } from '../store/store.ts';

/** How the plans of one kind are decided on: the planner (planner.ts) has one of these for each kind it knows. */
export interface PlanRule<D extends Decided = Decided> {
  readonly kind: string;
  /**
   * What follows from a plan's reports, its time and, where one is given, an action by hand. Throws for an action that is
   * refused, and for a plan that cannot go on.
   */
  decide(plan: DuePlan, now: number, action?: unknown): Promise<D>;
  /** What an action on a plan that is not there rejects with. */
  unknown(key: string): LongshoreError;
}

export interface Decided {
  readonly unit: Unit;
  /** When to decide again although nothing was reported, in ms since the epoch; null = only then. */
  readonly wakeAt: number | null;
  /** Plans that have something to decide once this is committed. */
  readonly follow: readonly string[];
  /** Carried out after the commit; a rule asks again when its plan wakes. */
  readonly stops: Stops;
  /** Emits the events, after the commit. */
  tell(): void;
}

export interface Stops {
  readonly jobs: readonly JobCommand[];
  readonly reports: readonly NewReport[];
}

export const NO_STOPS: Stops = { jobs: [], reports: [] };
