import type { Say } from '../http/say.ts';

/** What became of jobs since the worker was made. */
export interface CamundaCounts {
  /** Jobs that the cluster gave this worker. */
  activated: number;
  /** Completions that the cluster took. */
  completed: number;
  /** Failures that it took; `incidents` of them left no retry. */
  failed: number;
  incidents: number;
  /** BPMN errors that it took. */
  errors: number;
  /** Handlers that asked to run later. */
  snoozed: number;
  /** Jobs that were given back because the worker stops, with all their retries; one that its own last poll brings again counts again. */
  handedBack: number;
  /** Locks that the cluster said are gone while the job ran. */
  locksLost: number;
  /** Completions, failures and errors that it refused, as the job was not this worker's any more. */
  stale: number;
  /** Of those, ones whose first answer was lost: they may have been taken. */
  unclear: number;
  /** Polls that ended without an answer: jobs that went into one are locked until `lockMs` is over. */
  pollsLost: number;
  /** Outcomes that could not be told before the worker was gone; their jobs are given out again when their locks end. */
  untold: number;
}

export function noCounts(): CamundaCounts {
  return {
    activated: 0,
    completed: 0,
    failed: 0,
    incidents: 0,
    errors: 0,
    snoozed: 0,
    handedBack: 0,
    locksLost: 0,
    stale: 0,
    unclear: 0,
    pollsLost: 0,
    untold: 0,
  };
}

/** What a worker that has stopped leaves behind. */
export function sayFarewell(say: Say, counts: Readonly<CamundaCounts>, lockMs: number): void {
  const { untold, pollsLost, handedBack } = counts;
  const seconds = lockMs / 1_000;
  if (untold > 0)
    say(
      'warn',
      `Stopped with ${untold} outcomes untold: their jobs run again when their locks end, within ${seconds} s.`,
    );
  if (pollsLost > 0)
    say(
      'warn',
      `${pollsLost} polls ended without an answer: jobs that went into them wait for their locks to end, up to ${seconds} s.`,
    );
  say('info', `Stopped${handedBack === 0 ? '' : `; ${handedBack} jobs were handed back`}.`, counts);
}
