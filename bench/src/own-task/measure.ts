import { resolve } from 'node:path';
import type { Bench } from '../bench.ts';
import { LongshoreError } from '../longshore.ts';
import { withSite } from '../open-site.ts';
import type { Window } from '../programs/own-task.ts';
import { recorded } from '../result.ts';
import type { ServerRecord, Site, SiteSettings } from '../site.ts';
import {
  type Cell,
  type CellEnd,
  type CellFigures,
  cellName,
  type LaneStrategy,
  PREFETCH_DEFAULT,
} from './cell.ts';
import { type CellFault, errorOf } from './faults.ts';
import { nextCell, type PlanSettings } from './plan.ts';
import type { ProfileSettings } from './profiler.ts';
import { runCell, type Subject } from './run-cell.ts';
import { msText, rateText } from './words.ts';

/** The whole of a measurement: a trial in each lane, then the cells that the plan asks for, within a time. */
export interface OwnTaskMeasure extends SiteSettings, Omit<PlanSettings, 'strategies'> {
  readonly strategies: readonly LaneStrategy[];
  /** Whether the user named them: then one that cannot be measured is an error. */
  readonly strategiesGiven: boolean;
  /** Timed in each cell, ms. */
  readonly cellMs: number;
  /** No cell is begun when this is over, ms. */
  readonly budgetMs: number;
}

export interface Measured {
  readonly server: ServerRecord | null;
  readonly cells: readonly CellFigures[];
  /** One job at a time, before anything was warm, ms. */
  readonly trialMs: number;
  readonly leftOut: readonly LeftOut[];
  /** The time was over before the plan was, or the user interrupted. */
  readonly cutShort: boolean;
  /** The cell that was under way when the user interrupted; null: nobody did. */
  readonly interruptedAt: string | null;
}

/** A strategy that this task cannot run with. */
export interface LeftOut {
  readonly strategy: LaneStrategy;
  readonly why: string;
}

/** Rejects with what `errorOf` makes of a fault. */
export function measureTask(settings: OwnTaskMeasure, subject: Subject, bench: Bench): Promise<Measured> {
  return onSite(settings, bench, (site) => new Measurement(settings, subject, bench, site).run());
}

/** Throws STORE_UNAVAILABLE where the server does not answer. */
async function onSite<Result>(
  settings: SiteSettings,
  bench: Bench,
  use: (site: Site) => Promise<Result>,
): Promise<Result> {
  let opened = false;
  try {
    return await withSite(settings, bench, (site) => {
      opened = true;
      return use(site);
    });
  } catch (error) {
    if (opened) throw error;
    const { url } = recorded(settings);
    const message = `The server of --store ${url} does not answer: ${(error as Error).message}. Start it, or correct the URL; without --store an embedded store is measured.`;
    throw new LongshoreError('STORE_UNAVAILABLE', message, { cause: error, details: { url } });
  }
}

/** One cell once more, with profiles. Its figures are no figures: a profile costs time. */
export function profileCell(
  cell: Cell,
  folder: string,
  settings: OwnTaskMeasure,
  subject: Subject,
  bench: Bench,
): Promise<CellEnd> {
  return onSite(settings, bench, (site) =>
    new Measurement(settings, subject, bench, site).profile(cell, folder),
  );
}

class Measurement {
  readonly #settings: OwnTaskMeasure;
  readonly #subject: Subject;
  readonly #bench: Bench;
  readonly #site: Site;
  readonly #began = performance.now();
  readonly #cells: CellFigures[] = [];
  readonly #leftOut: LeftOut[] = [];
  #strategies: readonly LaneStrategy[];
  #trialMs = 0;

  constructor(settings: OwnTaskMeasure, subject: Subject, bench: Bench, site: Site) {
    this.#settings = settings;
    this.#subject = subject;
    this.#bench = bench;
    this.#site = site;
    this.#strategies = settings.strategies;
  }

  async run(): Promise<Measured> {
    for (const strategy of this.#settings.strategies) await this.#try(strategy);
    let cell = this.#next();
    while (cell !== null && this.#leftMs() > 0) {
      const figures = await this.#measure(cell).catch((error: unknown) => this.#ifInterrupted(error));
      if (figures === null) break;
      this.#cells.push(figures);
      cell = this.#next();
    }
    const isInterrupted = this.#bench.signal.aborted && cell !== null;
    if (isInterrupted) this.#leaveOutUnmeasured();
    return {
      server: this.#site.server,
      cells: this.#cells,
      trialMs: this.#trialMs,
      leftOut: this.#leftOut,
      cutShort: cell !== null,
      interruptedAt: isInterrupted ? cellName(cell as Cell) : null,
    };
  }

  /** Who interrupts gets what there is by then, if there is something. */
  #ifInterrupted(error: unknown): null {
    if (this.#bench.signal.aborted && this.#cells.length > 0) return null;
    throw error;
  }

  #leaveOutUnmeasured(): void {
    for (const strategy of this.#strategies)
      if (!this.#cells.some((cell) => cell.strategy === strategy))
        this.#leftOut.push({ strategy, why: 'the measurement was interrupted before it came to that' });
  }

  profile(cell: Cell, folder: string): Promise<CellEnd> {
    const profile: ProfileSettings = {
      folder: resolve(folder),
      ms: Math.max(PROFILE_MS, this.#settings.cellMs),
    };
    const window = this.#windowOf(cell);
    return this.#step(`profile of ${cellName(cell)}`, () =>
      runCell({ cell, window, profile }, this.#subject, this.#bench, this.#site),
    );
  }

  /** Some inputs, once each: what is wrong with the task shows here. */
  async #try(strategy: LaneStrategy): Promise<void> {
    const cell: Cell = { strategy, concurrency: 1, prefetchMax: 0 };
    const end = await this.#step(`trial, ${strategy}`, () =>
      runCell({ cell, window: null }, this.#subject, this.#bench, this.#site),
    );
    if ('figures' in end) {
      this.#trialMs ||= end.figures.runMs.p50;
      return;
    }
    const { fault } = end;
    if (fault.kind !== 'unloadable' || this.#settings.strategiesGiven) throw this.#error(fault, cell);
    this.#strategies = this.#strategies.filter((one) => one !== strategy);
    this.#leftOut.push({ strategy, why: fault.message });
    if (this.#strategies.length === 0) throw this.#error(fault, cell);
  }

  async #measure(cell: Cell): Promise<CellFigures> {
    const window = this.#windowOf(cell);
    const end: CellEnd = await this.#step(cellName(cell), () =>
      runCell({ cell, window }, this.#subject, this.#bench, this.#site),
    );
    if ('fault' in end) throw this.#error(end.fault, cell);
    const { jobsPerSecond, runMs } = end.figures;
    this.#bench.progress.note(`  ${rateText(jobsPerSecond)} jobs/s, p99 ${msText(runMs.p99)}`);
    return end.figures;
  }

  /** Long enough for some jobs of each slot, within four times the time of a cell or of a job. */
  #windowOf({ strategy, concurrency }: Cell): Window {
    const { cellMs } = this.#settings;
    const jobMs = Math.max(this.#trialMs, 0.05);
    const perSecond = this.#rateOf(strategy, concurrency) ?? (1_000 * concurrency) / jobMs;
    return {
      warmupMs: cellMs / 4,
      measureMs: cellMs,
      jobsMin: Math.max(JOBS_MIN, 2 * concurrency),
      limitMs: Math.max(4 * cellMs, 4 * jobMs),
      jobsFirst: Math.ceil(3 * concurrency + Math.min(FIRST_MAX, (1.25 * perSecond * cellMs) / 1_000)),
    };
  }

  /** By the cell before, as if twice as many jobs at a time were twice as fast. */
  #rateOf(strategy: LaneStrategy, concurrency: number): number | null {
    const last = this.#cells.findLast((cell) => cell.strategy === strategy);
    return last === undefined ? null : (last.jobsPerSecond * concurrency) / last.concurrency;
  }

  #next(): Cell | null {
    return nextCell(this.#cells, { ...this.#settings, strategies: this.#strategies });
  }

  #leftMs(): number {
    return this.#settings.budgetMs - (performance.now() - this.#began);
  }

  #step<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const left = Math.max(0, Math.round(this.#leftMs() / 1_000));
    return this.#bench.progress.step(`${name}; at most ${left} s more`, work);
  }

  #error(fault: CellFault, cell: Cell): Error {
    return errorOf(fault, this.#subject.task, cellName({ ...cell, prefetchMax: PREFETCH_DEFAULT }));
  }
}

const JOBS_MIN = 20;
const PROFILE_MS = 2_000;
const FIRST_MAX = 20_000;
