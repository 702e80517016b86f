import type { LaneSettings } from './programs/lanes.ts';
import type { PipelineSettings } from './programs/pipeline.ts';
import { rivalFile } from './rivals.ts';
import type { ProgramOptions } from './runner.ts';
import type { Place } from './site.ts';

/** One system with one retention, as it takes part in a comparison. */
export interface Contestant {
  readonly name: string;
  /** Absent: Longshore. */
  readonly rival?: string;
  /** Whether finished jobs are kept. */
  readonly keeps: boolean;
  readonly note: string;
  /** Where handlers run, if not on the worker's event loop. */
  readonly strategy?: ApartStrategy;
}

export type ApartStrategy = 'thread' | 'process';

const KEPT = 'finished jobs are kept, up to a million and seven days';
const DELETED = 'finished jobs are deleted as they end';

/** Who is compared on which store. What can be set alike is set alike; what cannot stands in the note. */
export const CONTESTANTS: Readonly<Record<'postgres' | 'redis', readonly Contestant[]>> = {
  postgres: [
    { name: 'longshore', keeps: true, note: KEPT },
    { name: 'longshore, deleting', keeps: false, note: DELETED },
    {
      name: 'graphile-worker',
      rival: 'graphile-worker',
      keeps: false,
      note: `${DELETED}, which cannot be changed; local queue of 500, completions in batches`,
    },
    {
      name: 'pg-boss',
      rival: 'pg-boss',
      keeps: true,
      note: 'finished jobs are kept for seven days in the same table; work() with batches of 500, burstWhenBatchFull',
    },
    {
      name: 'pg-boss-loop',
      rival: 'pg-boss-loop',
      keeps: true,
      note: 'as pg-boss, by its bare fetch() and complete() in a loop',
    },
  ],
  redis: [
    { name: 'longshore', keeps: true, note: KEPT },
    { name: 'longshore, deleting', keeps: false, note: DELETED },
    { name: 'bullmq', rival: 'bullmq', keeps: true, note: KEPT },
    { name: 'bullmq, deleting', rival: 'bullmq', keeps: false, note: DELETED },
  ],
};

/** On Redis, with handlers in threads or processes: as many of them as jobs at a time, in both systems. */
export function contestantsApart(strategy: ApartStrategy): readonly Contestant[] {
  const kind = strategy === 'thread' ? 'threads' : 'processes';
  const note = `${KEPT}; as many ${kind} as jobs at a time, started before the clock`;
  return [
    { name: `longshore, ${kind}`, keeps: true, note, strategy },
    { name: `bullmq, sandboxed ${kind}`, rival: 'bullmq-sandboxed', keeps: true, note, strategy },
  ];
}

/** Which of Longshore's two is compared with a rival: the one with the same retention. */
export function counterpart(contestants: readonly Contestant[], rival: Contestant): Contestant | undefined {
  return contestants.find((one) => one.rival === undefined && one.keeps === rival.keeps);
}

export type BurnSettings = Omit<PipelineSettings, 'url' | 'keeps'>;

/** The program that burns a queue down with this system, and its settings; all kinds give `enqueue`, `process` and evidence. The file of marks is for handlers in threads and processes. */
export function burnProgram(
  contestant: Contestant,
  { url, server }: Pick<Place, 'url' | 'server'>,
  settings: BurnSettings,
  marksFile = '',
): { readonly name: string; readonly settings: object; readonly options: Pick<ProgramOptions, 'file'> } {
  const { rival, keeps, strategy } = contestant;
  if (rival !== undefined) {
    const measure = strategy === undefined ? 'burndown' : 'sandboxed';
    return {
      name: rival,
      settings: { ...settings, measure, server, keeps, strategy, marksFile },
      options: { file: rivalFile(rival) },
    };
  }
  if (strategy === undefined) return { name: 'pipeline', settings: { ...settings, url, keeps }, options: {} };
  const { jobs, concurrency, warmup, batch, sabotage } = settings;
  const lane: LaneSettings = {
    url,
    task: 'noop',
    strategy,
    hosts: concurrency,
    concurrency,
    jobs,
    iterations: 0,
    warmup,
    shortWarmup: 0,
    batch,
    marksFile,
    timed: 0,
    sabotage,
  };
  return { name: 'lanes', settings: lane, options: {} };
}
