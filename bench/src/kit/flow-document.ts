import type { Cell, KitDocument } from './document.ts';
import { medianOf } from './ratio.ts';

/** The figures of `flows` by shape, for programs that look one up. Medians of the rounds; null: too few samples. */
export interface FlowFigures {
  readonly unit: 'ms';
  readonly shapes: Readonly<Record<string, ShapeRecord>>;
  readonly burst: Readonly<Record<string, { readonly runsPerSecond: number }>>;
  /** By items. */
  readonly fanOut: Readonly<Record<string, { readonly ms: number }>>;
  /** Items of the fan-out of about as many jobs a second, its join and all, over plain jobs a second. */
  readonly settleShare: number | null;
  readonly rivals: Readonly<Record<string, Part & { readonly ratio: Ratios }>>;
}

interface ShapeRecord {
  readonly runsPerSecond: number | null;
  readonly endToEndMs: Percentiles;
  readonly edgeMs: Percentiles;
}
type Percentiles = Readonly<Record<'p50' | 'p95' | 'p99', number | null>>;
type Part = Pick<FlowFigures, 'shapes' | 'burst' | 'fanOut'>;

/** Longshore's figure over the other's, of what both have. */
interface Ratios {
  readonly endToEndMs: Readonly<Record<string, Percentiles>>;
  readonly edgeMs: Readonly<Record<string, Percentiles>>;
  readonly burst: Readonly<Record<string, number | null>>;
  readonly fanOut: Readonly<Record<string, number | null>>;
}

/** Of a document with the cells of one store. */
export function flowFigures({ cells }: Pick<KitDocument, 'cells'>): FlowFigures {
  const done = cells.filter(({ status }) => status === 'done');
  const own = partOf(done.filter(({ system }) => system === 'longshore'));
  const others = [...new Set(done.map(({ system }) => system))].filter((system) => system !== 'longshore');
  const rivals = others.map((system) => {
    const part = partOf(done.filter((cell) => cell.system === system));
    return [system, { ...part, ratio: ratiosOf(own, part) }] as const;
  });
  return { unit: 'ms', ...own, settleShare: settleShare(done), rivals: Object.fromEntries(rivals) };
}

function partOf(cells: readonly Cell[]): Part {
  const by = <T>(part: string, name: string, figures: (cell: Cell) => T): Record<string, T> =>
    Object.fromEntries(
      cells
        .filter(({ benchmark, workload }) => benchmark === 'flow' && (workload.part ?? 'paced') === part)
        .map((cell) => [String(cell.workload[name]), figures(cell)]),
    );
  return {
    shapes: by('paced', 'shape', (cell) => ({
      runsPerSecond: figure(cell, 'runsPerSecond'),
      endToEndMs: percentiles((one) => figure(cell, `endToEndMs.${one}`)),
      edgeMs: percentiles((one) => figure(cell, `edgeMs.${one}`)),
    })),
    burst: by('burst', 'shape', (cell) => ({ runsPerSecond: figure(cell, 'runsPerSecond') ?? 0 })),
    fanOut: by('fanOut', 'items', (cell) => ({ ms: figure(cell, 'fanOutMs') ?? 0 })),
  };
}

function figure({ figures }: Cell, name: string): number | null {
  const values = figures[name]?.values ?? [];
  return values.length === 0 ? null : medianOf(values);
}

function percentiles(of: (name: 'p50' | 'p95' | 'p99') => number | null): Percentiles {
  return { p50: of('p50'), p95: of('p95'), p99: of('p99') };
}

function ratiosOf(own: Part, other: Part): Ratios {
  const shapes = (which: 'endToEndMs' | 'edgeMs') =>
    both(own.shapes, other.shapes, (ours, theirs) =>
      percentiles((one) => over(ours[which][one], theirs[which][one])),
    );
  return {
    endToEndMs: shapes('endToEndMs'),
    edgeMs: shapes('edgeMs'),
    burst: both(own.burst, other.burst, (ours, theirs) => over(ours.runsPerSecond, theirs.runsPerSecond)),
    fanOut: both(own.fanOut, other.fanOut, (ours, theirs) => over(ours.ms, theirs.ms)),
  };
}

function both<T, R>(
  own: Readonly<Record<string, T>>,
  other: Readonly<Record<string, T>>,
  of: (ours: T, theirs: T) => R,
): Record<string, R> {
  return Object.fromEntries(
    Object.entries(own).flatMap(([name, ours]) =>
      other[name] === undefined ? [] : [[name, of(ours, other[name])]],
    ),
  );
}

function over(one: number | null, other: number | null): number | null {
  return one === null || other === null || other === 0 ? null : Number((one / other).toPrecision(4));
}

/** Of the fan-out whose items come nearest to the number of plain jobs. */
function settleShare(cells: readonly Cell[]): number | null {
  const plain = cells.find(({ benchmark }) => benchmark === 'burn');
  const jobs = Number(plain?.workload.jobs);
  const far = ({ workload }: Cell): number => Math.abs(Math.log(Number(workload.items) / jobs));
  const [nearest] = cells
    .filter(({ system, workload }) => system === 'longshore' && workload.part === 'fanOut')
    .sort((one, other) => far(one) - far(other));
  if (plain === undefined || nearest === undefined) return null;
  return over(figure(nearest, 'itemsPerSecond'), figure(plain, 'processPerSecond'));
}
