import { itemsAt, numberAt, textAt } from '../fields.ts';
import type { Fields, Result } from '../result.ts';

/** Results of `work` and `suite` as cells: a scenario each, with the value of every repeat. */
export function withWorkCells(result: Result): Result {
  if (!['work', 'suite'].includes(result.command)) return result;
  const { store = null } = result.settings;
  return { ...result, cells: itemsAt(result.document, 'results').map((one) => cellOf(one, store)) };
}

/** Of a scenario, what tells it from others. */
const SETTINGS = ['phase', 'strategy', 'workload', 'concurrency', 'jobs', 'workSeconds'];

const FIGURES: readonly (readonly [name: string, unit: string, better: string, path: readonly string[]])[] = [
  ['jobsPerSecond', 'jobs/s', 'higher', ['jobsPerSecond']],
  ['loopDelayP99Ms', 'ms', 'lower', ['eventLoopDelayMs', 'p99']],
  ['workerPeakMb', 'MB', 'lower', ['memoryMb', 'peak']],
];

function cellOf(scenario: Fields, store: unknown): Fields {
  const runs = itemsAt(scenario, 'runs');
  const figures = FIGURES.map(([name, unit, better, path]) => {
    const values = runs.flatMap((run) => numberAt(run, ...path) ?? []);
    return [name, { unit, better, values }] as const;
  });
  const workload = SETTINGS.filter((name) => name in scenario).map((name) => [name, scenario[name]]);
  return {
    id: textAt(scenario, 'name') ?? '',
    system: 'longshore',
    benchmark: 'work',
    workload: { ...Object.fromEntries(workload), store },
    status: textAt(scenario, 'error') === null ? 'done' : 'failed',
    reason: textAt(scenario, 'error') ?? '',
    figures: Object.fromEntries(figures),
  };
}
