import { type Static, Type } from 'typebox';

/**
 * The document that every benchmark of the kit gives, and what is recorded in bench/results. It holds cells: one system under
 * one workload each, with the value of every figure in every round, so that readers compute medians and intervals as they
 * like. bench/result.schema.json is made of this (`npm run -s bench -- schema`); a test keeps the two alike.
 * Documents of `longshore-bench/1` (result.ts), which hold figures by command, are older.
 */
export const SCHEMA = 'longshore-bench/2';

const text = (description: string) => Type.String({ description });
const numbers = (description: string) => Type.Array(Type.Number(), { description });
const byName = <T extends Parameters<typeof Type.Record>[1]>(value: T, description: string) =>
  Type.Record(Type.String(), value, { description });

const Probe = Type.Object(
  {
    fsyncMs: Type.Number({ description: 'median of fsyncs of 4 kB in the folder of the stores' }),
    load: Type.Number({ description: 'load average of one minute; 0 where the platform has none' }),
    stealPercent: Type.Union([Type.Number(), Type.Null()], {
      description:
        'of the time since the start of the measurement, what a hypervisor gave to others; null: unknown',
    }),
  },
  { description: 'state of the machine' },
);

export const System = Type.Object({
  name: text('as cells name it'),
  version: text('of its package; of Longshore with the commit where one is known'),
  durability: text('what survives which crash, in one sentence'),
  retention: text('what becomes of finished jobs, in one sentence'),
});

export const Figure = Type.Object({
  unit: text('jobs/s, ms, MB, ...'),
  better: Type.Union([Type.Literal('higher'), Type.Literal('lower'), Type.Literal('neither')]),
  values: numbers('one for each round, in their order: round n of all cells was measured side by side'),
});

export const Cell = Type.Object({
  id: text('unique in the document: system, then workload'),
  system: text('name of one of `systems`'),
  benchmark: text('rivals, throughput, latency, memory, sql, ...'),
  workload: byName(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), 'all that the cell was given'),
  status: Type.Union([Type.Literal('done'), Type.Literal('failed'), Type.Literal('skipped')]),
  reason: Type.Optional(text('why it failed or was skipped')),
  figures: byName(Figure, 'by name; latencies end in .p50, .p95, .p99, .p999, .mean or .max'),
  histograms: Type.Optional(
    byName(text('HdrHistogram, compressed V2, base64, µs'), 'latencies of all rounds together'),
  ),
  series: Type.Optional(
    byName(numbers('as many as `seconds` has'), 'over time: `seconds` since the start, and figures by name'),
  ),
  details: Type.Optional(byName(Type.Unknown(), 'what is no figure: plans of statements, spans')),
});

export const Target = Type.Object({
  name: text('what is asked for, in words'),
  cell: text('id of a cell'),
  figure: text('one of its figures: the median of its rounds is judged'),
  operator: Type.Union([Type.Literal('>'), Type.Literal('<')]),
  limit: Type.Number(),
  unit: Type.String(),
  value: Type.Union([Type.Number(), Type.Null()], { description: 'null: not measured' }),
  passed: Type.Boolean(),
});

const Machine = Type.Object({
  cpu: Type.String(),
  cores: Type.Number(),
  memoryMb: Type.Number(),
  node: Type.String(),
  platform: Type.String(),
  filesystem: Type.Union([Type.String(), Type.Null()]),
  loadBefore: Type.Number(),
  longshore: Type.String(),
  commit: Type.Union([Type.String(), Type.Null()]),
  dirty: Type.Union([Type.Boolean(), Type.Null()]),
});

const Server = Type.Object({
  kind: Type.String(),
  version: Type.String(),
  own: Type.Boolean({ description: 'started for this measurement, with nothing else on it' }),
  durable: Type.Boolean(),
  settings: byName(Type.String(), 'of the server, as they were'),
});

export const KitDocument = Type.Object(
  {
    schema: Type.Literal(SCHEMA),
    command: text('the benchmark, or `all`'),
    arguments: Type.Array(Type.String(), { description: 'of `npm run -s bench --`, secrets left out' }),
    startedAt: text('ISO 8601'),
    tookMs: Type.Number(),
    complete: Type.Boolean({ description: 'false: it was interrupted; --resume goes on' }),
    roundsWanted: Type.Number(),
    machine: Machine,
    before: Probe,
    after: Type.Union([Probe, Type.Null()]),
    servers: Type.Array(Server),
    systems: Type.Array(System),
    cells: Type.Array(Cell),
    targets: Type.Array(Target),
  },
  { $id: `https://longshore-jobs.github.io/${SCHEMA}.json`, title: 'A result of longshore-bench' },
);

export type KitDocument = Static<typeof KitDocument>;
export type Cell = Static<typeof Cell>;
export type Figure = Static<typeof Figure>;
export type SystemRecord = Static<typeof System>;
export type Target = Static<typeof Target>;
export type MachineProbe = Static<typeof Probe>;
