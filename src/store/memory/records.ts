import type { Ageing } from '../../core/ageing.ts';
import type { AuditEntry, Job } from '../../core/job.ts';
import type { JobState, TerminalState } from '../../core/job-state.ts';
import { LIMITS_NONE, type QueueLimits, type StartLog } from '../../core/limits.ts';
import type { KeptTrail } from '../../core/trail.ts';
import { type Keep, RETENTION_DEFAULT, type Retention, type WorkerInfo, type WorkerLoad } from '../store.ts';
import { Line, type Place } from './line.ts';

/** The shapes of what a memory store holds; rows.ts keeps them true. */

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A job with all that belongs to it. Never leaves the store: `toJob` copies. */
export interface JobRow extends Mutable<Omit<Job, 'held'>>, KeptTrail {
  /** Place in the line among those of its priority: its seq, or a later number once it was held and let in. */
  ticket: number;
  turn: Turn;
  /** Of the current lease; null unless running. */
  token: string | null;
  readonly audit: AuditEntry[];
  place: Place<JobRow> | null;
  gone: boolean;
}

/**
 * `line`: let into the line of its key, or without a key; `later`: in the line, but put off until its key's rate has
 * room; `held`: ready, and waits for one of its key to leave the line; `none`: scheduled or ended.
 */
export type Turn = 'line' | 'later' | 'held' | 'none';

/** The live jobs of a key that are ready or in the line; gone when there are none. */
export interface KeyRow {
  readonly line: Set<JobRow>;
  readonly held: Line<JobRow>;
}

export interface QueueRow {
  readonly name: string;
  limits: QueueLimits;
  readonly keys: Map<string, KeyRow>;
  /** Only where the queue has a rate, or its keys have. */
  starts: StartLog;
  readonly keyStarts: Map<string, StartLog>;
  configured: boolean;
  pausedAt: number | null;
  retention: Retention;
  ageing: AgeingRow | null;
  readonly counts: Record<JobState, number>;
  readonly ready: Line<JobRow>;
  readonly scheduled: Line<JobRow>;
  readonly finished: Readonly<Record<TerminalState, Line<JobRow>>>;
}

export interface AgeingRow extends Ageing {
  /** When the last sweep began. */
  readonly sweptAt: number;
  /** The sweep goes on behind this job; null when it is over. */
  readonly afterSeq: number | null;
}

/** Who holds a unique key. It outlives its job until `untilAt`; `state` is the job's last, should the job be gone. */
export interface KeyHold {
  readonly id: string;
  untilAt: number;
  state: JobState;
}

export interface WorkerRow {
  readonly info: WorkerInfo;
  readonly load: WorkerLoad;
  readonly leaseMs: number;
  readonly seenAt: number;
}

export function toJob(row: JobRow): Job {
  const {
    token: _token,
    errors: _errors,
    errorsOmitted: _errorsOmitted,
    logs: _logs,
    logsOmitted: _logsOmitted,
    audit: _audit,
    place: _place,
    gone: _gone,
    ticket: _ticket,
    turn,
    ...job
  } = row;
  return { ...job, held: turn === 'held' };
}

export function keepsNothing(keep: Keep): boolean {
  return keep.ageMs === 0 || keep.count === 0 || keep.bytes === 0;
}

/** What counts for `Keep.bytes`: its payloads and names in UTF-8. */
export function bytesOf({ id, queue, task, input, result, progress, meta, key, uniqueKey }: JobRow): number {
  return [id, queue, task, input, result, progress, meta, key, uniqueKey].reduce(
    (sum, text) => sum + Buffer.byteLength(text ?? ''),
    0,
  );
}

export function emptyQueue(name: string): QueueRow {
  return {
    name,
    limits: LIMITS_NONE,
    keys: new Map(),
    starts: [],
    keyStarts: new Map(),
    configured: false,
    pausedAt: null,
    retention: RETENTION_DEFAULT,
    ageing: null,
    counts: { scheduled: 0, ready: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
    ready: new Line(),
    scheduled: new Line(),
    finished: { completed: new Line(), failed: new Line(), cancelled: new Line() },
  };
}
