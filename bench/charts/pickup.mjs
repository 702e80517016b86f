/** From the intended send time to the handler's start, by percentile, of all systems, from a `latency --rivals` document. */
export function pickupSpec({ pickup, handover, rivals, settings, machine, startedAt }) {
  const systems = { longshore: pickup.twoProcesses, ...rivals, 'bare notification': handover };
  const rows = Object.entries(systems).flatMap(([system, { p50, p95, p99 }]) =>
    Object.entries({ p50, p95, p99 }).map(([percentile, ms]) => ({ system, percentile, ms })),
  );
  return {
    title: {
      text: `From the intended send time to the handler on ${settings.store === 'redis' ? 'Redis' : 'PostgreSQL'}, ms`,
      subtitle: `${settings.rate} jobs/s for ${settings.seconds} s, sender and worker in two processes; ${machine.cores} cores shared with the server, ${startedAt.slice(0, 10)}`,
    },
    data: { values: rows },
    width: 600,
    height: { step: 30 },
    encoding: {
      y: { field: 'system', type: 'nominal', sort: null, axis: { title: null, labelLimit: 200 } },
      x: { field: 'ms', type: 'quantitative', scale: { type: 'log' }, axis: { title: null, tickCount: 6 } },
    },
    layer: [
      {
        mark: { type: 'rule', color: '#b4bcc2', strokeWidth: 2 },
        encoding: { x: { aggregate: 'min', field: 'ms' }, x2: { aggregate: 'max', field: 'ms' } },
      },
      {
        mark: { type: 'point', filled: true, size: 90, opacity: 1 },
        encoding: {
          color: {
            field: 'percentile',
            scale: { domain: ['p50', 'p95', 'p99'], range: ['#0b6e8f', '#e39b2f', '#b5332e'] },
            legend: { title: null, orient: 'top' },
          },
        },
      },
    ],
  };
}
