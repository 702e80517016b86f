import { bars } from './bars.mjs';

/** Rates of each strategy by workload, from a `work benchmark-workloads` document. */
export function strategiesSpec({ results, settings, machine, startedAt }) {
  const rows = results.map(({ strategy, workload, jobsPerSecond: { median, min, max } }) => ({
    strategy,
    workload: WORKLOADS[workload] ?? workload,
    median,
    min,
    max,
  }));
  const { jobs, concurrency, workSeconds } = results[0];
  return {
    title: {
      text: 'Jobs a second by strategy',
      subtitle: `${jobs} jobs of ${workSeconds} s each when alone, ${concurrency} at a time, one worker; median and range of ${settings.repeat} runs; ${machine.cores} cores, ${startedAt.slice(0, 10)}`,
    },
    ...bars({
      rows,
      panels: 'workload',
      names: 'strategy',
      width: 260,
      color: { condition: { test: "datum.strategy === 'auto'", value: '#0b6e8f' }, value: '#8fb8c6' },
    }),
  };
}

const WORKLOADS = { cpu: 'computes', io: 'writes and syncs files' };
