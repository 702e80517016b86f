import type { BurndownFigures } from '../commands/burndown.ts';
import type { FleetFigures } from '../commands/fleet.ts';
import type { LanesFigures } from '../commands/lanes.ts';
import type { LatencyFigures } from '../commands/latency.ts';
import type { MemoryFigures } from '../commands/memory.ts';
import type { VersusFigures } from '../commands/versus.ts';
import type { WorkFigures } from '../commands/work.ts';
import type { Strategy } from '../longshore.ts';
import { type Spread, spread } from '../spread.ts';
import type { Recorded } from './recorded.ts';

/**
 * The tables of figures in the README, made from recorded documents, so that none of them is typed by hand. A test
 * compares them with what stands there; `bench readme` writes them.
 */
export function figureTables(recorded: Recorded): string {
  return [
    storeTable(recorded),
    '',
    VERSUS_INTRODUCTION,
    '',
    versusTable(recorded),
    '',
    LANES_INTRODUCTION,
    '',
    lanesTable(recorded),
  ].join('\n');
}

const STORES = ['sqlite', 'postgres', 'redis'] as const;
type StoreName = (typeof STORES)[number];

const VERSUS_INTRODUCTION = `In one run on the same server, with the same payload, durability and retention, Longshore's rates were, times the other's:`;

const LANES_INTRODUCTION = 'Where handlers run, with two threads or child processes on two cores:';

function storeTable(recorded: Recorded): string {
  const row = (label: string, cell: (store: StoreName) => string): string =>
    line([label, ...STORES.map(cell)]);
  const burndown = (store: StoreName) => recorded.document<BurndownFigures>(`burndown-${store}`);
  const latency = (store: StoreName) => {
    const besideOthers = `latency-rivals-${store}`;
    const name = recorded.newest(besideOthers) === null ? `latency-${store}` : besideOthers;
    return recorded.document<LatencyFigures>(name);
  };
  const ratio = (store: StoreName, phase: string): string =>
    `${spreadText(burndown(store).spread[`ratio.${phase}`])}`;
  return [
    line(['', 'SQLite', 'PostgreSQL', 'Redis']),
    line(['---', '---', '---', '---']),
    row('bulk enqueue, jobs/s', (store) => thousands(burndown(store).enqueuePerSecond)),
    row('… over a loop written by hand on the same store', (store) => ratio(store, 'enqueue')),
    row('claim, run and complete, jobs/s', (store) => thousands(burndown(store).processPerSecond)),
    row('… over that loop', (store) => ratio(store, 'process')),
    row(
      "from the intended send time to the handler's start in another process, at 200 jobs/s, p50 / p99 in ms",
      (store) => percentiles(latency(store).pickup.twoProcesses),
    ),
    row('… a bare commit, on servers with a notification, by hand', (store) =>
      percentiles(latency(store).commit ?? latency(store).handover),
    ),
    row('4 and 10 worker processes, over one', (store) => fleetText(recorded, store)),
    row(
      'an idle worker adds to memory',
      (store) => `${Math.round(recorded.document<MemoryFigures>(`memory-${store}`).addedMb)} MB`,
    ),
  ].join('\n');
}

function fleetText(recorded: Recorded, store: StoreName): string {
  if (recorded.newest(`fleet-${store}`) === null) return '–';
  const { fleets } = recorded.document<FleetFigures>(`fleet-${store}`);
  const ratio = (processes: number): string =>
    fleets.find((fleet) => fleet.processes === processes)?.ratioToFirst.median.toFixed(2) ?? '–';
  return `${ratio(4)} and ${ratio(10)}`;
}

const RIVALS = [
  {
    of: 'versus-postgres',
    name: 'graphile-worker',
    note: 'both delete what is done; its local queue and batched completion on',
  },
  { of: 'versus-postgres', name: 'pg-boss', note: 'both keep it; `work()` in batches of 500' },
  { of: 'versus-postgres', name: 'pg-boss-loop', note: 'its bare `fetch()` and `complete()` in a loop' },
  { of: 'versus-redis', name: 'bullmq', note: 'both keep it' },
  {
    of: 'versus-redis-thread',
    name: 'bullmq, sandboxed threads',
    note: 'no-op handlers in two threads each',
  },
  {
    of: 'versus-redis-process',
    name: 'bullmq, sandboxed processes',
    note: 'no-op handlers in two child processes each',
  },
] as const;

function versusTable(recorded: Recorded): string {
  const rows = RIVALS.map(({ of, name, note }) => {
    const { ratio } = recorded.document<VersusFigures>(of);
    return line([name, spreadText(ratio[name]?.enqueue), spreadText(ratio[name]?.process), note]);
  });
  return [line(['', 'enqueue', 'process', '']), line(['---', '---', '---', '---']), ...rows].join('\n');
}

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

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
}

function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) throw new Error('A recorded document lacks a figure of the README.');
  const digits = spread.median >= 9.95 ? 1 : 2;
  const [median, min, max] = [spread.median, spread.min, spread.max].map((value) => value.toFixed(digits));
  return `${median} (${min}–${max})`;
}

function percentiles(summary: { readonly p50: number; readonly p99: number } | null): string {
  return summary === null ? '–' : `${summary.p50.toFixed(1)} / ${summary.p99.toFixed(1)}`;
}

function thousands(perSecond: number): string {
  return (Math.round(perSecond / 1_000) * 1_000).toLocaleString('en');
}
