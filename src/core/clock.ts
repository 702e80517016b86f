/**
 * Time as a dependency. Core and the services ask a Clock; only the composition root knows the system's.
 * `FakeClock` (longshore/testing) moves by hand.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `fire` once, `delayMs` from now, unless cancelled. Must not keep the process alive. */
  after(delayMs: number, fire: () => void): CancelTimer;
}

export type CancelTimer = () => void;
