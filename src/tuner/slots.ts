/**
 * Slots: the permission to run one more job now. The fetcher asks how many are free, the executor takes one per job
 * it starts. Implementations decide how many there are; fixed.ts is the plain one.
 */
export interface Slots {
  /** How many there are now. */
  readonly total: number;
  readonly used: number;
  /** Takes one; false when none is free. */
  tryTake(): boolean;
  release(): void;
}
