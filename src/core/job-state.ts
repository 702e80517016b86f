/**
 * The states of a job and the ONE table of moves between them.
 *
 * Every store must refuse a move that is not in the table; the conformance suite checks each pair.
 * docs/state-machine.md draws what stands here, and a test keeps the two equal.
 */

/** `scheduled` waits for a time, `ready` for a worker; `running` is leased; the rest are terminal. */
export const JOB_STATES = ['scheduled', 'ready', 'running', 'completed', 'failed', 'cancelled'] as const;

export type JobState = (typeof JOB_STATES)[number];

/** What can happen to a job. */
export type JobMove =
  | 'promote'
  | 'reschedule'
  | 'claim'
  | 'complete'
  | 'retry'
  | 'fail'
  | 'cancel'
  | 'snooze'
  | 'release'
  | 'expire'
  | 'redrive'
  | 'resolve';

/**
 * From each state, by move: the states it may lead to. A move that is absent is refused.
 * Terminal states are left only by `redrive` and `resolve`, which are operator actions.
 */
export const TRANSITIONS: Readonly<
  Record<JobState, Readonly<Partial<Record<JobMove, readonly JobState[]>>>>
> = {
  scheduled: { promote: ['ready'], reschedule: ['scheduled', 'ready'], cancel: ['cancelled'] },
  ready: { claim: ['running'], reschedule: ['scheduled', 'ready'], cancel: ['cancelled'] },
  running: {
    complete: ['completed'],
    retry: ['scheduled', 'ready', 'failed', 'cancelled'],
    fail: ['failed'],
    cancel: ['cancelled'],
    snooze: ['scheduled', 'ready', 'cancelled'],
    release: ['ready', 'cancelled'],
    expire: ['ready', 'failed', 'cancelled'],
  },
  completed: {},
  failed: { redrive: ['ready'], resolve: ['completed'] },
  cancelled: { redrive: ['ready'] },
};

export const TERMINAL_STATES = ['completed', 'failed', 'cancelled'] as const satisfies readonly JobState[];

export const LIVE_STATES = ['scheduled', 'ready', 'running'] as const satisfies readonly JobState[];

/** The states in which a job waits and may still be taken out of the line. */
export const WAITING_STATES = ['scheduled', 'ready'] as const satisfies readonly JobState[];

export type TerminalState = (typeof TERMINAL_STATES)[number];

export function isTerminal(state: JobState): state is TerminalState {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** Whether the table allows `move` to take a job from `from` to `to`. */
export function allows(from: JobState, move: JobMove, to: JobState): boolean {
  return TRANSITIONS[from][move]?.includes(to) ?? false;
}

/** The states from which `move` is possible at all. */
export function statesThatAllow(move: JobMove): JobState[] {
  return JOB_STATES.filter((state) => TRANSITIONS[state][move] !== undefined);
}
