/**
 * Slots: the permission to run one more job now. The fetcher asks how many are free, the executor takes one per job
 * it starts; a poll that waits holds none. Implementations decide how many there are: fixed.ts always as many, tuned.ts
 * as many as processor and memory allow, by the control law of control.ts. Nothing that runs is ever stopped for a
 * slot: where there are fewer than are used, nothing new starts.
 */
export interface Slots {
  /** How many there are now; may be fewer than are used. */
  readonly total: number;
  readonly used: number;
  /** Takes one; false when none is free. */
  tryReserve(): boolean;
  release(): void;
  /** Before the first is taken. `onChange` is called when more or fewer became free than this user took and released. */
  start(onChange: () => void): void;
  stop(): void;
}
