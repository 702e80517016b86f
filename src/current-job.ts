import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Which job's handler the code that runs belongs to, also behind its awaits, in timers and callbacks: what it enqueues
 * inherits that job's correlation id and trace (core/inherited.ts).
 *
 * A context of its own for each job costs 0.25 µs (Node 24). Contexts that are made once and used again (`AsyncResource`) cost
 * 10 ns, and bring back the contexts of everything else as they were when the first job ran: the blame for a crash, and
 * the caller's own `AsyncLocalStorage`, would be another job's.
 */
export interface CurrentJob {
  readonly id: string;
  /** As it is stored. */
  readonly meta: string | null;
}

interface Shared {
  readonly storage: AsyncLocalStorage<CurrentJob | null>;
}

/** Other copies of the package in this thread have the same: a handler may use another one than its worker. */
const SHARED = Symbol.for('longshore.currentJob');
const holder = globalThis as { [SHARED]?: Shared };
holder[SHARED] ??= { storage: new AsyncLocalStorage() };
const { storage } = holder[SHARED];

/** Calls the handler of a job as that job's. */
export function runAs<Given, Returned>(
  job: CurrentJob,
  run: (given: Given) => Returned,
  given: Given,
): Returned {
  return storage.run(job, run, given);
}

/** The job whose handler this is called from; null outside of handlers. */
export function currentJob(): CurrentJob | null {
  return storage.getStore() ?? null;
}

/** Calls a function as if no handler had led to it. */
export function outsideOfJobs<Given>(body: (given: Given) => void, given: Given): void {
  if (storage.getStore() == null) body(given);
  else storage.run(null, body, given);
}
