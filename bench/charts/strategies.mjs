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
    data: { values: rows },
    facet: { column: { field: 'workload', type: 'nominal', sort: null, title: null } },
    spec: {
      width: 260,
      height: { step: 26 },
      encoding: {
        y: { field: 'strategy', type: 'nominal', sort: null, axis: { title: null } },
        x: { axis: { title: null, tickCount: 5 } },
      },
      layer: [
        {
          mark: { type: 'bar', height: { band: 0.65 } },
          encoding: {
            x: { field: 'median', type: 'quantitative' },
            color: {
              condition: { test: "datum.strategy === 'auto'", value: '#0b6e8f' },
              value: '#8fb8c6',
            },
          },
        },
        {
          mark: { type: 'rule', color: '#333' },
          encoding: { x: { field: 'min', type: 'quantitative' }, x2: { field: 'max' } },
        },
      ],
    },
  };
}

const WORKLOADS = { cpu: 'computes', io: 'writes and syncs files' };
