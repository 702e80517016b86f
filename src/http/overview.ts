import { ALL_QUEUES } from '../core/job.ts';
import type { JobState } from '../core/job-state.ts';
import { ALL, countsOf, type Rates, type Samples } from './samples.ts';

/** The whole fleet at a glance: what `/overview` answers and the event `overview` tells. */
export interface Overview {
  readonly at: number;
  /** All queues are. */
  readonly paused: boolean;
  readonly counts: Readonly<Record<JobState, number>>;
  readonly rates: Rates;
  readonly queues: readonly {
    readonly name: string;
    readonly paused: boolean;
    readonly counts: Readonly<Record<JobState, number>>;
    readonly rates: Rates;
  }[];
  readonly workers: {
    readonly alive: number;
    readonly dead: number;
    readonly slots: number;
    readonly slotsUsed: number;
  };
}

export async function overviewOf(samples: Samples): Promise<Overview> {
  const sample = await samples.latest();
  const alive = sample.workers.filter((worker) => worker.alive);
  const sum = (field: 'slots' | 'slotsUsed'): number =>
    alive.reduce((total, worker) => total + worker[field], 0);
  return {
    at: sample.at,
    paused: sample.queues.some(({ name, pausedAt }) => name === ALL_QUEUES && pausedAt !== null),
    counts: countsOf(sample, ALL) as Record<JobState, number>,
    rates: samples.rates(ALL),
    queues: sample.queues
      .filter(({ name }) => name !== ALL_QUEUES)
      .map(({ name, pausedAt, counts }) => ({
        name,
        paused: pausedAt !== null,
        counts: { ...counts },
        rates: samples.rates(name),
      })),
    workers: {
      alive: alive.length,
      dead: sample.workers.length - alive.length,
      slots: sum('slots'),
      slotsUsed: sum('slotsUsed'),
    },
  };
}
