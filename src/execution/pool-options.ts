import type { HostStarter } from './host-starter.ts';
import type { LaneName } from './lane.ts';
import type { HostSettings, Usage } from './protocol.ts';

/** What a pool is given, and what it tells. */
export interface RunOptions {
  /** Whose job it is. */
  readonly owner: object;
  /** Has the job measured. */
  readonly onUsage?: ((usage: Usage) => void) | undefined;
}

export interface PoolOptions {
  readonly lane: LaneName;
  readonly start: HostStarter;
  /** Most hosts at a time. */
  readonly size: number;
  /** Jobs at a time in one host. */
  readonly jobsPerHost: number;
  /** A host is replaced after so many jobs; 0: never. */
  readonly recycleJobs: number;
  readonly settings: HostSettings;
  /** How often to look at hosts with batches; default: 2 ms. */
  readonly lookMs?: number;
  readonly onHost: (event: HostEvent) => void;
  /** There may be room again. */
  readonly onRoom: () => void;
}

export type HostEvent =
  | { readonly type: 'started'; readonly lane: LaneName; readonly host: number }
  | {
      readonly type: 'ended';
      readonly lane: LaneName;
      readonly host: number;
      /** `killed` to stop a job's code; `retired` because of its age, its memory, a failed import, or the end of the pool. */
      readonly why: 'crashed' | 'outOfMemory' | 'killed' | 'retired';
      readonly jobsRun: number;
      /** What happened, where it crashed. */
      readonly message: string | null;
    };
