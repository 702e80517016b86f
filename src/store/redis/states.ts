import { JOB_STATES, type JobState } from '../../core/job-state.ts';

/** States by the numbers that records and scripts have for them, from 1 (lua/_begin.lua). 0 is no state. */
export function stateOf(number: number | undefined): JobState {
  return JOB_STATES[(number ?? 0) - 1] as JobState;
}

export function stateNumber(state: JobState): number {
  return JOB_STATES.indexOf(state) + 1;
}
