/** Rates of all systems on one server, from a `versus` document: bars are medians, lines reach from the slowest run to the fastest. */
export function ratesSpec({ systems, settings, machine, startedAt }) {
  const rows = Object.entries(systems).flatMap(([system, figures]) => [
    { system, phase: 'enqueue', ...figures.enqueuePerSecond },
    { system, phase: 'claim, run, complete', ...figures.processPerSecond },
  ]);
  return {
    title: {
      text: `No-op jobs a second on ${settings.store === 'redis' ? 'Redis' : 'PostgreSQL'}, one worker process`,
      subtitle: `${settings.jobs.toLocaleString('en')} jobs, median and range of ${settings.repeat} runs in turns; ${machine.cores} cores shared with the server, ${startedAt.slice(0, 10)}`,
    },
    data: { values: rows },
    facet: { column: { field: 'phase', type: 'nominal', sort: null, title: null } },
    spec: {
      width: 300,
      height: { step: 26 },
      encoding: {
        y: { field: 'system', type: 'nominal', sort: null, axis: { title: null, labelLimit: 200 } },
        x: { axis: { title: null, format: ',d', tickCount: 5 } },
      },
      layer: [
        {
          mark: { type: 'bar', height: { band: 0.65 } },
          encoding: {
            x: { field: 'median', type: 'quantitative' },
            color: {
              condition: { test: "indexof(datum.system, 'longshore') === 0", value: '#0b6e8f' },
              value: '#b4bcc2',
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
