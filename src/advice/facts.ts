import type { QueueRecord, TaskProfile } from '../store/store.ts';

/** The facts that rules are given, and the advice that they give. */
export interface Advice {
  readonly about: 'task' | 'queue';
  /** Name of the task or queue. */
  readonly name: string;
  readonly setting: 'strategy' | 'slots' | 'prefetch' | 'retention';
  /** `change`: other than it is. `keep`: right as it is. `unknown`: too little is known. */
  readonly verdict: 'change' | 'keep' | 'unknown';
  /** A sentence: what to do. */
  readonly text: string;
  /** Sentences: by which figures. */
  readonly why: string;
  /** Code or a command, where something is to be changed; null elsewhere. */
  readonly paste: string | null;
}

/** All that is known of a task. Times in ms. */
export interface TaskFacts {
  readonly task: string;
  /** Profiles by workers that are alive. */
  readonly profiles: readonly TaskProfile[];
  readonly workers: number;
  /** Slots of these workers together, and how many are used now, by all of their tasks. */
  readonly slots: number;
  readonly slotsUsed: number;
  readonly finished: FinishedFacts;
  /** Jobs of the task's queues that are ready now. */
  readonly ready: number;
}

/** Times of the last completed jobs that the store still has. */
export interface FinishedFacts {
  readonly jobs: number;
  /** From the claim to the end. NaN where there is none. */
  readonly runMs: Percentiles;
  /** From ready to the claim. */
  readonly waitMs: Percentiles;
  /** Rate of completions over the time in which they came; null where that is too short to tell. */
  readonly perSecond: number | null;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface QueueFacts extends Pick<QueueRecord, 'name' | 'counts' | 'retention'> {
  /** Rate of completions up to now, over ten minutes at least; null where the last jobs do not reach so far back. */
  readonly perSecond: number | null;
}

export interface StoreFacts {
  readonly tasks: readonly TaskFacts[];
  readonly queues: readonly QueueFacts[];
}
