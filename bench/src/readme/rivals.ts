import type { KitDocument } from '../kit/document.ts';
import { medianOf, ratioOf } from '../kit/ratio.ts';
import { line } from './line.ts';
import type { Recorded } from './recorded.ts';

type Settings = Readonly<Record<string, string>>;

/** The figures of one recorded result of the kit, by what its cells were given. */
class Cells {
  readonly #cells: KitDocument['cells'];

  constructor({ cells }: KitDocument) {
    this.#cells = cells;
  }

  /** Of the one cell with these settings, the value of every round. */
  values(settings: Settings, figure: string): readonly number[] {
    const found = this.#with(settings);
    const values = found[0]?.figures[figure]?.values ?? [];
    if (found.length === 1 && values.length > 0) return values;
    throw new Error(
      `The recorded rivals have ${found.length} cells with ${JSON.stringify(settings)}, and ${values.length} rounds of ${figure}.`,
    );
  }

  median(settings: Settings, figure: string): number {
    return medianOf(this.values(settings, figure));
  }

  has(settings: Settings): boolean {
    return this.#with(settings).some(({ status }) => status === 'done');
  }

  #with(settings: Settings): KitDocument['cells'] {
    return this.#cells.filter(({ benchmark, workload }) => {
      const all: Readonly<Record<string, unknown>> = { trial: benchmark, part: 'rate', ...workload };
      return Object.entries(settings).every(([name, value]) => all[name] === value);
    });
  }

  /** Of a latency, two percentiles in ms. */
  latency(settings: Settings, figure: string, tail: 'p95' | 'p99'): string {
    return ['p50', tail]
      .map((percentile) => this.median(settings, `${figure}.${percentile}`).toFixed(1))
      .join(' / ');
  }

  /** How many times one system's rate is another's, with its interval. */
  ratio(system: string, other: string, settings: Settings, figure: string): string {
    const [ours, theirs] = [system, other].map((one) => this.values({ ...settings, system: one }, figure));
    const { ratio, low, high } = ratioOf(ours as readonly number[], theirs as readonly number[]);
    const digits = ratio >= 9.95 ? 0 : 2;
    const [middle, from, to] = [ratio, low, high].map((value) => value.toFixed(digits));
    return `${middle} (${from}–${to})`;
  }
}

const SERVERS = ['postgres', 'redis'] as const;
const LOOP = 'hand-written loop';
const NOOP = { trial: 'burn', handler: 'none' } as const;

/** Rates and latencies beside the loop by hand, and beside other systems, and flows. */
export function rivalTables(recorded: Recorded): string {
  const from = (table: (cells: Cells) => string): string =>
    recorded.withSources(() => table(new Cells(recorded.document<KitDocument>('rivals'))));
  return [from(ownTable), RIVALS_INTRODUCTION, from(rivalTable), FLOWS_INTRODUCTION, from(flowTable)].join(
    '\n\n',
  );
}

function ownTable(cells: Cells): string {
  const row = (label: string, cell: (settings: Settings) => string): string =>
    line([label, ...SERVERS.map((store) => cell({ store }))]);
  const rate = (figure: string, handler: string) => (settings: Settings) =>
    thousands(cells.median({ ...settings, trial: 'burn', handler, system: 'longshore' }, figure));
  const over = (figure: string, handler: string) => (settings: Settings) =>
    cells.ratio('longshore', LOOP, { ...settings, handler }, figure);
  const pickup = (system: string) => (settings: Settings) =>
    cells.latency({ ...settings, trial: 'open-loop', system }, 'enqueueToStartMs', 'p99');
  return [
    line(['', 'PostgreSQL', 'Redis']),
    line(['---', '---', '---']),
    row('bulk enqueue, jobs/s', rate('submitPerSecond', 'none')),
    row('… over a loop written by hand on the same store', over('submitPerSecond', 'none')),
    row('claim, run and complete, jobs/s', rate('processPerSecond', 'none')),
    row('… over that loop', over('processPerSecond', 'none')),
    row('the same with handlers that wait 1 ms', rate('processPerSecond', 'wait-1')),
    row('… over that loop', over('processPerSecond', 'wait-1')),
    row(
      "from the intended send time to the handler's start in another process, at 100 jobs/s, p50 / p99 in ms",
      pickup('longshore'),
    ),
    row('… by that loop', pickup(LOOP)),
  ].join('\n');
}

const RIVALS_INTRODUCTION = `In the same run on the same server, with the same jobs and durability, Longshore's rates were, times the other's (over one: Longshore
is faster):`;

const RIVALS = [
  {
    name: 'graphile-worker',
    store: 'postgres',
    own: 'longshore, deleting',
    note: 'both delete what is done',
  },
  { name: 'pg-boss', store: 'postgres', own: 'longshore', note: 'both keep it' },
  { name: 'dbos', store: 'postgres', own: 'longshore', note: 'both keep it; it has no call for a batch' },
  { name: 'bullmq on postgres', store: 'postgres', own: 'longshore', note: 'both keep it' },
  { name: 'bullmq', store: 'redis', own: 'longshore', note: 'both keep it' },
  { name: 'bullmq, deleting', store: 'redis', own: 'longshore, deleting', note: 'both delete what is done' },
  { name: 'celery', store: 'redis', own: 'longshore, deleting', note: 'results are ignored' },
] as const;

const HANDLERS = [
  ['none', 'no-op'],
  ['wait-1', 'waits 1 ms'],
  ['compute-1', 'computes 1 ms'],
  ['wait-50', 'waits 50 ms'],
] as const;

function rivalTable(cells: Cells): string {
  const rows = RIVALS.map(({ name, store, own, note }) => {
    const settings = { store, trial: 'burn' };
    const waits = { store, trial: 'open-loop', system: name };
    return line([
      name,
      cells.ratio(own, name, { ...NOOP, store }, 'submitPerSecond'),
      ...HANDLERS.map(([handler]) => cells.ratio(own, name, { ...settings, handler }, 'processPerSecond')),
      cells.has(waits) ? cells.latency(waits, 'enqueueToStartMs', 'p99') : '',
      note,
    ]);
  });
  return [
    line(['', 'enqueue', ...HANDLERS.map(([, label]) => label), 'picked up after, p50 / p99 in ms', '']),
    line(['---', '---', ...HANDLERS.map(() => '---'), '---', '---']),
    ...rows,
  ].join('\n');
}

const FLOWS_INTRODUCTION = `Runs of flows, ten a second, from the intended start to the result in ms, p50 / p95, and many at once. DBOS runs a flow in the process
that starts it; the others hand each step to a worker in another process, and pg-boss looks for the next one each second:`;

const FLOWS = [
  { label: 'three steps in a row', store: 'postgres', shape: 'linear3', others: ['pg-boss', 'dbos'] },
  { label: 'diamond', store: 'postgres', shape: 'diamond', others: ['pg-boss', 'dbos'] },
  { label: 'seven steps', store: 'postgres', shape: 'dag7', others: ['pg-boss', 'dbos'] },
  { label: 'three steps in a row', store: 'redis', shape: 'linear3', others: ['bullmq'] },
  { label: 'four steps in a row', store: 'redis', shape: 'linear4', others: ['bullmq'] },
] as const;

function flowTable(cells: Cells): string {
  const rows = FLOWS.map(({ label, store, shape, others }) => {
    const cell = (system: string): string =>
      (others as readonly string[]).includes(system) || system === 'longshore'
        ? cells.latency({ trial: 'flow', part: 'rate', store, shape, system }, 'endToEndMs', 'p95')
        : '';
    return line([`${label}, ${store === 'redis' ? 'Redis' : 'PostgreSQL'}`, ...FLOW_SYSTEMS.map(cell)]);
  });
  const atOnce = FLOW_SYSTEMS.map((system) =>
    system === 'bullmq'
      ? ''
      : Math.round(cells.median({ part: 'burst', shape: 'diamond', system }, 'runsPerSecond')).toLocaleString(
          'en',
        ),
  );
  return [
    line(['', 'Longshore', 'pg-boss', 'DBOS', 'BullMQ']),
    line(['---', '---', '---', '---', '---']),
    ...rows,
    line(['diamonds at once, PostgreSQL, runs/s', ...atOnce]),
  ].join('\n');
}

const FLOW_SYSTEMS = ['longshore', 'pg-boss', 'dbos', 'bullmq'] as const;

function thousands(perSecond: number): string {
  return (Math.round(perSecond / 1_000) * 1_000).toLocaleString('en');
}
