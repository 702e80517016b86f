import type { EventName, Events } from '../events.ts';
import type { Family } from './family.ts';
import type { MetricsSource, RunnerSource } from './source.ts';

/** A connection and the runners of other engines in its process, as one source: their jobs and slots go into the same metrics. */
export function together(source: MetricsSource | null, runners: readonly RunnerSource[]): MetricsSource {
  if (source !== null && runners.length === 0) return source;
  const all = source === null ? runners : [source, ...runners];
  return {
    queues: source?.queues ?? { list: async () => [] },
    workers: async () => source?.workers() ?? [],
    localWorkers: () => [
      ...(source?.localWorkers() ?? []),
      ...runners.map((runner) => runner.gauges()).filter((gauges) => gauges !== null),
    ],
    on(name, listener) {
      const once = onlyOnce(name, listener);
      const ends = all.map((one) => one.on(name, once));
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

/** Of slots that are shared, each of those who share them tells the same: one object for all. */
function onlyOnce<Name extends EventName>(
  name: Name,
  listener: (event: Events[Name]) => void,
): (event: Events[Name]) => void {
  if (!name.startsWith('tuner.')) return listener;
  let last: Events[Name] | null = null;
  return (event) => {
    if (event === last) return;
    last = event;
    listener(event);
  };
}

/** By engine, what the sums over all workers of this process do not tell apart. */
export function gaugeEngines(runners: readonly RunnerSource[], family: Family): void {
  const gauge = (name: string, help: string, of: (runner: RunnerSource) => number): void => {
    const made = family.gauge(`longshore_engine_${name}`, help, ['engine'], () => {
      made.reset();
      for (const runner of runners)
        if (runner.gauges() !== null) made.inc({ engine: runner.engine }, of(runner));
    });
  };
  gauge('runners', 'Runners of this engine in this process that are started.', () => 1);
  gauge('running', 'Handlers of this engine that run.', (runner) => runner.gauges()?.running ?? 0);
  gauge('waiting', 'Work of this engine that waits for a slot or a thread.', ({ waiting }) => waiting);
  gauge(
    'slots',
    'How much work of this engine may run at a time.',
    (runner) => runner.gauges()?.slots.total ?? 0,
  );
  gauge(
    'slots_used',
    'Slots that work of this engine has taken.',
    (runner) => runner.gauges()?.slots.used ?? 0,
  );
}
