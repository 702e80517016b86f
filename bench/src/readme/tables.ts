import type { LanesFigures } from '../commands/lanes.ts';
import type { WorkFigures } from '../commands/work.ts';
import type { Strategy } from '../longshore.ts';
import { type Spread, spread } from '../spread.ts';
import { kindsTable } from './kinds.ts';
import { line } from './line.ts';
import type { Recorded } from './recorded.ts';
import { rivalTables } from './rivals.ts';

/**
 * The tables of figures in the README, made from recorded documents, so that none of them is typed by hand. A test
 * compares them with what stands there; `bench readme` writes them.
 */
export function figureTables(recorded: Recorded): string {
  return [
    rivalTables(recorded),
    LANES_INTRODUCTION,
    recorded.withSources(() => lanesTable(recorded)),
    recorded.withSources(() => kindsTable(recorded)),
  ].join('\n\n');
}

const LANES_INTRODUCTION = 'Where handlers run, with two threads or child processes on two cores:';

function lanesTable(recorded: Recorded): string {
  const { cpu, overhead } = recorded.document<LanesFigures>('lanes');
  const { results, comparisons } = recorded.document<WorkFigures>('work-benchmark-workloads');
  if (cpu === null || overhead === null) throw new Error('The recorded lanes lack a part.');
  const rates = (strategy: Strategy): number[] =>
    results
      .filter((result) => result.workload === 'cpu' && result.strategy === strategy)
      .flatMap(({ runs }) => runs.map(({ jobsPerSecond }) => jobsPerSecond));
  const overInline = (strategy: Strategy): string =>
    spreadText(spread(rates(strategy).map((rate, round) => rate / (rates('async')[round] ?? Number.NaN))));
  const micros = ({ median, min, max }: Spread): string =>
    `${Math.round(median)} µs (${Math.round(min)}–${Math.round(max)})`;
  const pickupP99 = (strategy: Strategy): string => cpu.lanes[strategy as 'async'].pickup.p99.toFixed(1);
  const auto = comparisons.map(({ workload, autoToBest }) =>
    autoToBest === null || autoToBest.afterTen === null
      ? ''
      : `${spreadText(autoToBest.afterTen)} of \`${autoToBest.afterTen.best}\` with jobs of the kind ${workload}`,
  );
  return [
    line(['', 'inline', 'threads', 'processes']),
    line(['---', '---', '---', '---']),
    line(['rate of jobs that compute, over inline', '1', overInline('thread'), overInline('process')]),
    ...['lanes', 'lanes-15ms'].map((name) => sharesLine(recorded.document<LanesFigures>(name))),
    line([
      '… an inline job is picked up meanwhile after, p99 in ms',
      ...(['async', 'thread', 'process'] as const).map(pickupP99),
    ]),
    line([
      'a no-op job takes more than inline, store included',
      '0',
      micros(overhead.overInline.thread),
      micros(overhead.overInline.process),
    ]),
    '',
    `After ten jobs, \`auto\` runs at ${auto.join(', and at ')}.`,
  ].join('\n');
}

function sharesLine({ cpu }: LanesFigures): string {
  if (cpu === null) throw new Error('The recorded lanes lack a part.');
  const { oneCore, lanes } = cpu;
  const shares = (['async', 'thread', 'process'] as const).map((strategy) =>
    spreadText(lanes[strategy].share),
  );
  return line([
    `… over that of a bare process on each core, jobs of ${Math.round(1_000 / oneCore.median)} ms`,
    ...shares,
  ]);
}

function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) throw new Error('A recorded document lacks a figure of the README.');
  const digits = spread.median >= 9.95 ? 1 : 2;
  const [median, min, max] = [spread.median, spread.min, spread.max].map((value) => value.toFixed(digits));
  return `${median} (${min}–${max})`;
}
