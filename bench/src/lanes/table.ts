import type { LanesFigures } from '../commands/lanes.ts';
import type { DurationSummary } from '../histogram.ts';
import { formatMs, formatRatio, spreadCells, table } from '../table.ts';
import type { BlockFigures } from './block.ts';
import type { CpuFigures } from './cpu.ts';
import type { OverheadFigures } from './overhead.ts';
import type { PoolsFigures } from './pools.ts';
import { STRATEGIES } from './run.ts';

/** One table for each part that was measured. */
export function lanesTable({ cpu, overhead, pools, block }: LanesFigures): string {
  return [
    cpu && cpuTable(cpu),
    overhead && overheadTable(overhead),
    pools && poolsTable(pools),
    block && blockLines(block),
  ]
    .filter((text) => text !== null)
    .join('\n\n');
}

const HEAD = ['median', 'min', 'max'];

function cpuTable({ oneCore, bareCores, lanes }: CpuFigures): string {
  const of = (strategy: (typeof STRATEGIES)[number]) => lanes[strategy];
  const share = formatRatio3;
  return [
    table([
      ['jobs that compute', ...HEAD],
      ['one core, jobs/s', ...spreadCells(oneCore, formatMs)],
      ['plain processes, share of the cores', ...spreadCells(bareCores.share, share)],
      ...STRATEGIES.map((name) => [`${name}, share of the cores`, ...spreadCells(of(name).share, share)]),
      ...STRATEGIES.map((name) => [
        `${name}, share of the cores, beside inline jobs`,
        ...spreadCells(of(name).shareWhileTimed, share),
      ]),
    ]),
    '',
    table([
      ['inline jobs meanwhile, ms', 'p50', 'p95', 'p99', 'max', 'samples'],
      ...STRATEGIES.map((name) => {
        const { pickup } = of(name);
        const percentiles = (['p50', 'p95', 'p99'] as const).map((one) => percentile(pickup, one));
        return [`pickup beside ${name}`, ...percentiles, formatMs(pickup.max), String(pickup.samples)];
      }),
    ]),
  ].join('\n');
}

/** `~` marks one with fewer than ten samples beyond it. */
function percentile(timing: DurationSummary, name: 'p50' | 'p95' | 'p99'): string {
  return `${timing.weak.includes(name) ? '~' : ''}${formatMs(timing[name])}`;
}

/** A share of 0.95 and one of 0.945 are not the same. */
function formatRatio3(ratio: number): string {
  return ratio.toFixed(3);
}

function overheadTable({ microsPerJob, overInline }: OverheadFigures): string {
  return table([
    ['no-op jobs through worker and store, µs a job', ...HEAD],
    ...STRATEGIES.map((name) => [name, ...spreadCells(microsPerJob[name], formatMs)]),
    ['thread over async', ...spreadCells(overInline.thread, formatMs)],
    ['process over async', ...spreadCells(overInline.process, formatMs)],
  ]);
}

function poolsTable({ microsPerJob, threadsToPiscina }: PoolsFigures): string {
  const rows = Object.entries(microsPerJob).flatMap(([pool, byInFlight]) =>
    Object.entries(byInFlight).map(([inFlight, micros]) => [
      `${pool}, ${inFlight} in flight`,
      ...spreadCells(micros, formatMs),
    ]),
  );
  const ratios = Object.entries(threadsToPiscina).map(([inFlight, ratio]) => [
    `longshore's threads over piscina, ${inFlight} in flight`,
    ...spreadCells(ratio, formatRatio),
  ]);
  return table([['pools alone, µs a job', ...HEAD], ...rows, ...ratios]);
}

function blockLines({ blockedSeconds, leaseMs, attempt, otherJobs, pickup }: BlockFigures): string {
  return [
    `A handler held its event loop for ${blockedSeconds} s under a lease of ${leaseMs / 1_000} s, and ended in attempt ${attempt}.`,
    `Another worker's ${otherJobs} jobs were picked up meanwhile after ${percentile(pickup, 'p50')} ms (p50), ${percentile(pickup, 'p99')} ms (p99), ${formatMs(pickup.max)} ms (max).`,
  ].join('\n');
}
