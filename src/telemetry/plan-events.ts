/** The part of the catalogue (events.ts) that is about plans: runs of flows, and schedules. */
export interface RunFacts {
  /** The run's id. */
  readonly run: string;
  readonly flow: string;
  /** The one of its meta, or the id of the outermost run. */
  readonly correlationId: string;
}

export interface ScheduleFacts {
  readonly schedule: string;
  /** Name of the task or flow that it starts. */
  readonly target: string;
}

export interface PlanEvents {
  /** A run of a flow began; `parent`: as a step of another run. */
  'run.started': RunFacts & { readonly parent: boolean };
  /** A run went from one state to another. */
  'run.moved': RunFacts & { readonly from: string; readonly to: string; readonly reason: string | null };
  /** A step went to another state; `undoing` and `undone` tell of its undo. */
  'step.moved': RunFacts & {
    readonly step: string;
    readonly to: string;
    readonly error: { readonly name: string; readonly message: string; readonly code: string | null } | null;
  };
  /** A schedule started a job or, where its target is a flow, a run, which has this id. */
  'schedule.ticked': ScheduleFacts & {
    readonly id: string;
    /** The time of the tick, in ms since the epoch. */
    readonly scheduledAt: number;
    /** After the tick, ms. */
    readonly lateMs: number;
    readonly cause: 'tick' | 'run' | 'backfill';
  };
  /** Ticks that started nothing: the job before had not ended, or nobody was there to see them. Times of the first and the last. */
  'schedule.skipped': ScheduleFacts & {
    readonly reason: 'overlap' | 'missed';
    readonly from: number;
    readonly to: number;
  };
  /** A plan cannot be decided on; others go on. Told each time it is tried. */
  'plan.stuck': {
    readonly key: string;
    readonly kind: string;
    readonly label: string;
    readonly error: unknown;
  };
}
