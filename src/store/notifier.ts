import type { Talk } from './talk.ts';

/**
 * The wake-up port. A notification is a hint that something was committed: it may come late, twice or never,
 * and polling alone must be enough. Stores publish themselves, after the commit that made the hint true.
 */
export interface Notifier {
  /** Calls `listener` for every hint until the returned function is called. Never keeps the process alive. */
  subscribe(topic: Topic, listener: () => void): () => void;
  /** True when hints also come from other processes. */
  readonly crossProcess: boolean;
  /** Absent where nobody else can be reached. */
  readonly talk?: Talk | undefined;
}

/**
 * `ready`: jobs may be claimable, now or at a new earlier time. `control`: a queue was paused or resumed, or a
 * running job is to be cancelled; a beat tells which. `settled`: jobs reached a terminal state.
 * `plan`: a plan has a report, or another time to wake up at. `planEnded`: a plan was given a time to expire at.
 */
export const TOPICS = ['ready', 'control', 'settled', 'plan', 'planEnded'] as const;

export type Topic = (typeof TOPICS)[number];
