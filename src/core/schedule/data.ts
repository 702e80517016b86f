/**
 * A schedule as the JSON of its plan: when it ticks, what a tick starts, and how far it has come. Times are in ms
 * since the epoch.
 */

export type When =
  | { readonly kind: 'cron'; readonly expression: string; readonly zone: string }
  /** Ticks are `anchor + n * everyMs`: an interval never drifts, however late it was looked at. */
  | { readonly kind: 'every'; readonly everyMs: number; readonly anchor: number }
  | { readonly kind: 'at'; readonly at: number };

/** What a tick does while the job of one before it has not ended. */
export const OVERLAPS = ['allow', 'skip', 'queue', 'cancel'] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** What becomes of ticks that nobody was there to see. */
export const MISSED = ['once', 'skip', 'all'] as const;
export type Missed = (typeof MISSED)[number];

/** What a tick starts. Texts are encoded as stores keep them. */
export type Target =
  | {
      readonly kind: 'task';
      readonly task: string;
      readonly queue: string;
      readonly priority: number;
      readonly attemptsMax: number;
      readonly key: string | null;
      readonly input: string | null;
      readonly meta: string | null;
    }
  | {
      readonly kind: 'flow';
      readonly flow: string;
      /** Of its definition, which is stored. */
      readonly version: string;
      readonly input: string | null;
      readonly meta: string | null;
    };

export interface ScheduleData {
  readonly when: When;
  /** No tick before it. */
  readonly start: number | null;
  /** No tick at it or after it. */
  readonly end: number | null;
  /** A tick's job starts up to so much later, by a share that depends on the schedule and the tick. */
  readonly jitterMs: number;
  readonly overlap: Overlap;
  readonly missed: Missed;
  /** With `missed: 'all'`: at most so many of them, the latest. */
  readonly missedMax: number;
  readonly target: Target;
}

export interface ScheduleValue {
  readonly name: string;
  readonly data: ScheduleData;
  /** Another one whenever the ticks change, and for each new schedule of the name: part of the ids of its jobs. */
  readonly generation: string;
  /** Whose code defines it; null: set by hand. */
  readonly owner: string | null;
  readonly note: string | null;
  readonly createdAt: number;
  /** The first tick that was not decided on; null: there is none. */
  readonly next: number | null;
  readonly paused: { readonly at: number; readonly by: string; readonly note: string | null } | null;
  /** Since when its owner's code has not defined it. */
  readonly orphanedAt: number | null;
  /** Jobs or runs that have not ended, the latest LIVE_MAX. */
  readonly live: readonly Live[];
  /** A tick that waits until nothing is live. */
  readonly queued: number | null;
  readonly last: (Omit<Live, 'as' | 'stopAt'> & { readonly startedAt: number }) | null;
  readonly lastEnd: { readonly scheduledAt: number; readonly at: number; readonly state: string } | null;
  /** Starts so far, by hand and backfilled ones included. */
  readonly starts: number;
  /** Ticks that were skipped for a live one. */
  readonly skips: number;
  /** By hand, the latest AUDIT_MAX. */
  readonly audit: readonly ScheduleAudit[];
}

export interface Live {
  /** Reference of its report. */
  readonly as: string;
  readonly scheduledAt: number;
  readonly id: string;
  readonly kind: Target['kind'];
  /** When it was last asked to stop. */
  readonly stopAt?: number;
}

export interface ScheduleAudit {
  readonly at: number;
  readonly by: string;
  readonly action: 'set' | 'pause' | 'resume' | 'run' | 'backfill';
  readonly note: string | null;
}

/** `ended`: no tick is to come. `orphaned`: its owner's code defines it no more, so it does not tick. */
export const SCHEDULE_STATES = ['active', 'paused', 'orphaned', 'ended'] as const;
export type ScheduleState = (typeof SCHEDULE_STATES)[number];

export const LIVE_MAX = 100;
export const AUDIT_MAX = 20;
/** Ticks of one decision, of one backfill, and the most that `missedMax` may be. */
export const TICKS_MAX = 1_000;
export const MISSED_MAX_DEFAULT = 100;

export function stateOf({ paused, orphanedAt, next, queued }: ScheduleValue): ScheduleState {
  if (orphanedAt !== null) return 'orphaned';
  if (paused !== null) return 'paused';
  return next === null && queued === null ? 'ended' : 'active';
}
