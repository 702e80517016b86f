import { setTimeout as passed } from 'node:timers/promises';
import { defineTask } from '../../../src/index.ts';

interface Work {
  /** Rounds of the loop: work, not time, so that a busy machine has as much to do as an idle one. */
  readonly rounds: number;
  readonly waitMs: number;
}

/** Waits, then computes. */
export const load = defineTask({
  name: 'load',
  run: async ({ input }) => {
    const { rounds, waitMs } = input as Work;
    await passed(waitMs * (0.5 + Math.random()));
    return compute(rounds * (0.5 + Math.random()));
  },
});

/** A chain of multiplications that no compiler can shorten. */
export function compute(rounds: number): number {
  let value = 1;
  for (let round = 0; round < rounds; round += 1) value = Math.imul(value ^ round, 0x5bd1e995) | 1;
  return value;
}
