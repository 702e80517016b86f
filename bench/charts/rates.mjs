import { bars } from './bars.mjs';

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
    ...bars({
      rows,
      panels: 'phase',
      names: 'system',
      width: 300,
      format: ',d',
      color: {
        condition: { test: "indexof(datum.system, 'longshore') === 0", value: '#0b6e8f' },
        value: '#b4bcc2',
      },
    }),
  };
}
