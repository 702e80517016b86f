import { type CellFigures, LANE_STRATEGIES, type LaneStrategy, PREFETCH_DEFAULT } from './cell.ts';
import { fastest, gainOf, type Knee, kneeOf } from './knee.ts';
import { blocksLoop, choosePrefetch, merged, noiseOf } from './recommend.ts';
import { msText, percentText, rateText } from './words.ts';

/** Why a cell is recommended, in plain English: each sentence is a rule over what was measured. */
export interface ReasonSettings {
  readonly cores: number;
  readonly p99Max: number | null;
  readonly concurrencyMax: number;
}

export function reasonsFor(
  chosen: CellFigures,
  all: readonly CellFigures[],
  settings: ReasonSettings,
): string[] {
  const cells = merged(all).filter(({ prefetchMax }) => prefetchMax === chosen.prefetchMax);
  return [
    nature(cells),
    ...LANE_STRATEGIES.map((strategy) => limitOf(strategy, cells, settings)),
    ...besideOthers(chosen, cells),
    aboutPrefetch(chosen, all),
    aboutWaiting(chosen, cells),
    aboutLimit(chosen, settings),
    ...doubts(chosen, all),
  ].filter((sentence) => sentence !== null);
}

/** By one job at a time on the event loop: how much of its time it computes. */
function nature(cells: readonly CellFigures[]): string | null {
  const times = timesOf(cells);
  if (times === null) return null;
  const { mean, busy } = times;
  if (mean < SHORT_MS)
    return `A job takes ${msText(mean)}: what the worker and the store do for each job counts for more than its handler.`;
  const share = busy / mean;
  const kind = share > 0.6 ? 'it computes' : share < 0.2 ? 'it mostly waits' : 'it computes and waits';
  return `A job keeps the event loop busy for ${msText(busy)} of its ${msText(mean)}: ${kind}.`;
}

const SHORT_MS = 0.3;

/** How long a job takes alone, and for how long of that it keeps the event loop busy; ms. */
function timesOf(cells: readonly CellFigures[]): { readonly mean: number; readonly busy: number } | null {
  const [single] = climbed('async', cells);
  if (single === undefined || single.concurrency > 1 || single.jobsPerSecond === 0) return null;
  const { mean } = single.runMs;
  return { mean, busy: Math.min(mean, (1_000 * single.loopBusy) / single.jobsPerSecond) };
}

const PLACES: Readonly<Record<LaneStrategy, string>> = {
  async: 'On the event loop (async)',
  thread: 'In threads',
  process: 'In child processes',
};

/** The most that one strategy reached, and what was full then. */
function limitOf(
  strategy: LaneStrategy,
  cells: readonly CellFigures[],
  { cores, concurrencyMax }: ReasonSettings,
): string | null {
  const own = climbed(strategy, cells);
  const best = fastest(own);
  if (best === null) return null;
  const knee = kneeOf(own);
  const { concurrency, jobsPerSecond, runMs, loopDelayMs } = best;
  const late = blocksLoop(best)
    ? ` Everything else in that worker then waits for the loop, up to ${msText(loopDelayMs.max)}.`
    : '';
  const most = `${PLACES[strategy]}: ${rateText(jobsPerSecond)} jobs/s at most, with ${concurrency} at a time (p99 ${msText(runMs.p99)})`;
  return `${most}${knee === null ? stillGrew(own, concurrencyMax) : `; ${kneeText(knee, cores)}`}.${late}`;
}

function stillGrew(cells: readonly CellFigures[], concurrencyMax: number): string {
  const last = cells.at(-1);
  if (last === undefined || last !== fastest(cells) || last.concurrency < concurrencyMax) return '';
  return '; no more were tried, and --concurrency-max tries more';
}

function kneeText({ why, at }: Knee, cores: number): string {
  const from = `from ${at.concurrency} at a time on`;
  switch (why) {
    case 'loop':
      return `${from} the event loop is full, which is one core`;
    case 'cpu':
      return `${from} the processor is full (${cores === 1 ? '1 core' : `${cores} cores`})`;
    case 'p99':
      return `beyond ${at.concurrency} at a time jobs take longer without more getting done`;
    case 'flat':
      return `beyond ${at.concurrency} at a time no more get done, though the processor has time left: the jobs wait for something they share, such as a database, a disk or a service`;
  }
}

/** The fastest cell, where that is another one, and the next step up. */
function besideOthers(chosen: CellFigures, cells: readonly CellFigures[]): string[] {
  const quickest = fastest(cells);
  const sentences: string[] = [];
  if (quickest !== null && gainOf(chosen, quickest) > 0.01) {
    const name = `${quickest.strategy}, ${quickest.concurrency} at a time,`;
    sentences.push(
      `${name} does ${percentText(gainOf(chosen, quickest))} more, ${costOf(chosen, quickest)}.`,
    );
  }
  const next = climbed(chosen.strategy, cells).find(({ concurrency }) => concurrency > chosen.concurrency);
  if (next !== undefined && next !== quickest)
    sentences.push(
      `${next.concurrency} at a time instead of ${chosen.concurrency}: ${change(gainOf(chosen, next))} jobs/s, ${costOf(chosen, next)}.`,
    );
  return sentences;
}

function costOf(one: CellFigures, other: CellFigures): string {
  const times = other.runMs.p99 / one.runMs.p99;
  const slow = times > 1.1 ? `a p99 ${times.toFixed(1)} times as long` : 'the same p99';
  const memory = other.memoryMb - one.memoryMb;
  return memory > 20 ? `with ${slow} and ${memory} MB more memory` : `with ${slow}`;
}

function change(gain: number): string {
  if (Math.abs(gain) < 0.01) return 'as many';
  return gain > 0 ? `${percentText(gain)} more` : `${percentText(-gain)} fewer`;
}

function aboutPrefetch(chosen: CellFigures, all: readonly CellFigures[]): string | null {
  const alike = merged(all).filter(
    ({ strategy, concurrency }) => strategy === chosen.strategy && concurrency === chosen.concurrency,
  );
  if (alike.length < 2) return null;
  const best = choosePrefetch(all, chosen);
  const rates = alike.map(
    ({ prefetchMax, jobsPerSecond }) => `${rateText(jobsPerSecond)} jobs/s with at most ${prefetchMax}`,
  );
  const verdict =
    best === PREFETCH_DEFAULT
      ? 'the default is right; it adapts to how long jobs take'
      : `at most ${best} held ready is best`;
  return `Prefetch: ${verdict} (${rates.join(', ')}).`;
}

function aboutLimit(chosen: CellFigures, { p99Max }: ReasonSettings): string | null {
  if (p99Max === null) return null;
  return chosen.runMs.p99 <= p99Max
    ? `Its p99 keeps to the limit of ${msText(p99Max)}.`
    : `No way of running it keeps p99 within ${msText(p99Max)}: this one comes nearest.`;
}

/** All jobs at a time use the database or service that the handler waits for. */
function aboutWaiting({ concurrency }: CellFigures, cells: readonly CellFigures[]): string | null {
  const times = timesOf(cells);
  if (times === null || times.busy / times.mean > 0.5 || concurrency < MANY) return null;
  return `What the handler calls must bear ${concurrency} at a time as well: connections to a database, limits of a service.`;
}

const MANY = 32;

/** The reason not to trust the figures as a whole; null: there is none. */
export function cautionFor(cells: readonly CellFigures[], cores: number): string | null {
  const others = Math.max(...cells.map(({ machineBusy, cpuCores }) => machineBusy - cpuCores / cores));
  if (others <= OTHERS_MAX) return null;
  return `Other programs took up to ${percentText(others)} of the processor meanwhile. Run it again on a quiet machine before you rely on this.`;
}

const OTHERS_MAX = 0.2;

/** Reasons not to trust single figures. */
function doubts(chosen: CellFigures, all: readonly CellFigures[]): (string | null)[] {
  const noise = noiseOf(all);
  return [
    noise !== null && noise > NOISE_MAX
      ? `Measured again, the rate differed by ${percentText(noise)}: differences of that size mean nothing.`
      : null,
    chosen.runMs.weak.includes('p99')
      ? `Its p99 rests on ${chosen.runMs.samples} jobs: take it for a hint, or give each cell more time with --cell-time.`
      : null,
  ];
}

const NOISE_MAX = 0.1;

function climbed(strategy: LaneStrategy, cells: readonly CellFigures[]): CellFigures[] {
  return cells
    .filter((cell) => cell.strategy === strategy)
    .sort((one, other) => one.concurrency - other.concurrency);
}
