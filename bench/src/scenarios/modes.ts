import type { Strategy } from '../longshore.ts';
import type { Scenario, WorkloadName } from './scenario.ts';

/** What `bench work <mode>` measures where no option says otherwise. */
export interface Mode {
  readonly jobs: number;
  readonly strategies: readonly Strategy[];
  readonly workloads: readonly WorkloadName[];
  readonly repeat: number;
  readonly concurrency: number;
}

export const STRATEGIES_ALL: readonly Strategy[] = ['async', 'thread', 'process', 'auto'];

const PLAIN: Mode = { jobs: 1, strategies: ['auto'], workloads: ['cpu'], repeat: 1, concurrency: 10 };
const COMPARED: Mode = { ...PLAIN, jobs: 20, strategies: STRATEGIES_ALL };

export const MODES = {
  default: PLAIN,
  quick: { ...PLAIN, jobs: 5, concurrency: 5 },
  benchmark: COMPARED,
  'benchmark-workloads': { ...COMPARED, workloads: ['cpu', 'io'] },
  'benchmark-subprocess': { ...COMPARED, workloads: ['subprocess', 'subprocess_threaded'] },
  test: { ...PLAIN, jobs: 10, repeat: 3 },
  stress: { ...PLAIN, jobs: 100, concurrency: 50, repeat: 3 },
  load: { ...PLAIN, jobs: 100, concurrency: 50 },
  multi: { ...PLAIN, strategies: STRATEGIES_ALL },
} as const satisfies Record<string, Mode>;

export type ModeName = keyof typeof MODES;

export const MODE_NAMES = Object.keys(MODES) as readonly ModeName[];

/** A line a mode, for --help. */
export function describeModes(): string {
  const width = Math.max(...MODE_NAMES.map((name) => name.length));
  return MODE_NAMES.map((name) => {
    const { jobs, concurrency, repeat, strategies, workloads }: Mode = MODES[name];
    const which = strategies === STRATEGIES_ALL ? 'all strategies' : strategies.join(', ');
    const often = repeat === 1 ? 'once' : `${repeat} times`;
    const many = `${jobs} ${jobs === 1 ? 'job' : `jobs, ${concurrency} at once`}, ${often}`;
    return `  ${name.padEnd(width)}  ${workloads.join(', ')}; ${which}; ${many}`;
  }).join('\n');
}

/** What the user may say instead, and what no mode says. */
export interface WorkOptions {
  readonly jobs?: number;
  readonly strategy?: Strategy;
  readonly workload?: WorkloadName;
  readonly repeat?: number;
  readonly concurrency?: number;
  readonly timeout?: number;
  /** Work of one job, s. */
  readonly workSeconds: number;
  /** Milliseconds. */
  readonly jobTimeout: number;
  readonly jitter: number;
}

export interface ModeSettings extends Mode, Omit<WorkOptions, keyof Mode | 'strategy' | 'workload'> {
  readonly mode: ModeName;
  /** For each run, s. */
  readonly timeout: number;
}

export function settingsOf(mode: ModeName, options: WorkOptions): ModeSettings {
  const { jobs, strategies, workloads, repeat, concurrency }: Mode = MODES[mode];
  const { workSeconds, jobTimeout, jitter } = options;
  const chosen = { jobs: options.jobs ?? jobs, workSeconds };
  return {
    ...{ mode, ...chosen, jitter, jobTimeout },
    strategies: options.strategy === undefined ? strategies : [options.strategy],
    workloads: options.workload === undefined ? workloads : [options.workload],
    repeat: options.repeat ?? repeat,
    concurrency: options.concurrency ?? concurrency,
    timeout: options.timeout ?? secondsMax(chosen),
  };
}

/** Workload by workload. */
export function scenariosOf(settings: ModeSettings): Scenario[] {
  const { mode, jobs, concurrency, repeat, workSeconds, jitter, timeout, jobTimeout } = settings;
  const alike = {
    ...{ suite: 'work', phase: mode, jobs, concurrency, workSeconds, jitter, repeats: repeat },
    timeoutSeconds: timeout,
    jobTimeoutMs: jobTimeout,
  };
  return settings.workloads.flatMap((workload) =>
    settings.strategies.map((strategy) => ({
      ...alike,
      name: `${workload}_${strategy}`,
      strategy,
      workload,
    })),
  );
}

/** On one core, with a process and its threads started for each job, on a machine that has other things to do, too. */
function secondsMax({ jobs, workSeconds }: { readonly jobs: number; readonly workSeconds: number }): number {
  return Math.ceil(60 + jobs * (3 * workSeconds + 2));
}
