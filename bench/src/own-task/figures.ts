import type { ServerRecord } from '../site.ts';
import type { CellFigures, LaneStrategy } from './cell.ts';
import { UsageError } from './cli.ts';
import type { LeftOut, Measured } from './measure.ts';
import { type Pasted, pasted } from './paste.ts';
import type { ProfileReport } from './profile.ts';
import { cautionFor, type ReasonSettings, reasonsFor } from './reasons.ts';
import { choose, choosePrefetch, merged } from './recommend.ts';

/** The findings of the command. */
export interface Figures {
  readonly task: string;
  readonly file: string;
  readonly inputs: number;
  readonly server: ServerRecord | null;
  /** In the order in which they were measured. */
  readonly cells: readonly CellFigures[];
  readonly recommendation: Recommendation;
  readonly leftOut: readonly LeftOut[];
  readonly cutShort: boolean;
  readonly interruptedAt: string | null;
  readonly profile: ProfileReport | null;
  readonly checks: { readonly executedOnce: true; readonly completedInStore: true };
}

export interface Recommendation {
  readonly strategy: LaneStrategy;
  readonly concurrency: number;
  readonly prefetchMax: number;
  readonly jobsPerSecond: number;
  readonly p99Ms: number;
  /** Why the figures may be wrong; null: nothing speaks against them. */
  readonly caution: string | null;
  /** Sentences. */
  readonly why: readonly string[];
  readonly paste: Pasted;
}

export interface RecommendSettings extends ReasonSettings {
  readonly file: string;
}

/** Throws USAGE when there is no cell. */
export function recommend(cells: readonly CellFigures[], settings: RecommendSettings): Recommendation {
  const { prefetchMax: first } = cells[0] ?? { prefetchMax: 0 };
  const alike = cells.filter(({ prefetchMax }) => prefetchMax === first);
  const chosen = choose(alike, settings.p99Max);
  if (chosen === null)
    throw new UsageError('--time was over before a single cell was measured. Give it more, e.g. --time 2m.');
  const prefetchMax = choosePrefetch(cells, chosen);
  const { strategy, concurrency } = chosen;
  const used =
    merged(cells).find(
      (cell) =>
        cell.strategy === strategy && cell.concurrency === concurrency && cell.prefetchMax === prefetchMax,
    ) ?? chosen;
  return {
    strategy,
    concurrency,
    prefetchMax,
    jobsPerSecond: used.jobsPerSecond,
    p99Ms: used.runMs.p99,
    caution: cautionFor(cells, settings.cores),
    why: reasonsFor(chosen, cells, settings),
    paste: pasted(chosen, prefetchMax, settings.file),
  };
}

export function figuresOf(
  { server, cells, leftOut, cutShort, interruptedAt }: Measured,
  about: Pick<Figures, 'task' | 'file' | 'inputs' | 'profile'> & { readonly recommendation: Recommendation },
): Figures {
  const checks = { executedOnce: true, completedInStore: true } as const;
  return { ...about, server, cells, leftOut, cutShort, interruptedAt, checks };
}
