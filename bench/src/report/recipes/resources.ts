import { type Bar, type Bars, type Chart, formatNumber } from '../chart.ts';
import { at, measuredAt, numberAt, recordAt } from '../fields.ts';
import { isOwn, labelsOf, OWN, type Recipe, storeName, systemLabel } from '../recipe.ts';
import { barOf } from './throughput.ts';

/** What a worker takes of the machine while it does nothing. */
export const memory: Recipe = {
  commands: ['memory'],
  title: 'Memory',
  intro: 'A worker with nothing to do, beside a Node process that loaded nothing.',
  charts: (results): Chart[] => {
    const labels = labelsOf(results);
    const rows = results.flatMap((result, n) =>
      FIELDS.flatMap(({ field, label, whose }): Bar[] => {
        const found = measuredAt(result.document, 'spread', field) ?? measuredAt(result.document, field);
        const bar = barOf(labels[n] ?? '', label, whose, found);
        return bar === null ? [] : [bar];
      }),
    );
    return [{ kind: 'bars', title: 'Memory of an idle worker', unit: 'MB', better: 'lower', rows }];
  },
  tiles: (results) =>
    results.flatMap((result) => {
      const added = numberAt(result.document, 'addedMb');
      return added === null
        ? []
        : [{ value: `${formatNumber(added)} MB`, label: `added by an idle worker on ${storeName(result)}` }];
    }),
};

const FIELDS = [
  { field: 'nodeMb', label: 'Node alone', whose: 'ceiling' },
  { field: 'workerMb', label: 'with a worker', whose: 'own' },
  { field: 'addedMb', label: 'added', whose: 'own' },
] as const;

/** Bytes of a job that waits, out of the comparisons that measured them. */
export const queuedBytes: Recipe = {
  commands: ['versus'],
  title: 'Memory of waiting jobs',
  intro: 'What a server takes for each job that waits.',
  charts: (results): Chart[] => {
    const labels = labelsOf(results);
    return results.flatMap((result, n): Bars[] => {
      const rows = Object.entries(recordAt(result.document, 'queuedBytes', 'bytesPerJob')).flatMap(
        ([system, bytes]) => {
          const bar = barOf(
            '',
            systemLabel(system),
            isOwn(system) ? 'own' : 'other',
            measuredAt({ bytes }, 'bytes'),
          );
          return bar === null ? [] : [bar];
        },
      );
      return rows.length === 0
        ? []
        : [{ kind: 'bars', title: `A waiting job on ${labels[n]}`, unit: 'bytes', better: 'lower', rows }];
    });
  },
};

export const idle: Recipe = {
  commands: ['idle'],
  title: 'An idle worker',
  intro: 'What a worker with nothing to do takes of one core, and how often it wakes up.',
  charts: (results): Chart[] => {
    const labels = labelsOf(results);
    const chart = (field: string, title: string, unit: string): Bars => ({
      kind: 'bars',
      title,
      unit,
      better: 'lower',
      rows: results.flatMap((result, n): Bar[] => {
        const found = measuredAt(result.document, 'spread', field) ?? measuredAt(result.document, field);
        const bar = barOf('', labels[n] ?? '', 'own', found);
        return bar === null ? [] : [bar];
      }),
    });
    return [
      chart('cpuPercentOfOneCore', 'Processor time', '% of a core'),
      chart('wakeUpsPerSecond', 'Wake-ups', '1/s'),
    ];
  },
};

/** Rates of a store that is worn, over those of a fresh one. */
export const wear: Recipe = {
  commands: ['claim-cost'],
  title: 'Wear',
  intro:
    'What finished and waiting jobs, and on PostgreSQL another session with an old snapshot, do to a queue. A ratio of 1 is no wear.',
  charts: (results): Chart[] => {
    const labels = labelsOf(results);
    return results.flatMap((result, n): Bars[] => {
      const rates = Object.entries(recordAt(result.document, 'rates')).flatMap(([system, cases]) =>
        Object.keys(recordAt(cases)).flatMap((name): Bar[] => {
          const bar = barOf(
            systemLabel(system),
            CASES[name] ?? name,
            isOwn(system) ? 'own' : 'other',
            measuredAt(cases, name),
          );
          return bar === null ? [] : [bar];
        }),
      );
      if (rates.length > 0)
        return [
          {
            kind: 'bars',
            title: `Rate of a worn store, ${labels[n]}`,
            unit: 'jobs/s',
            better: 'higher',
            rows: rates,
          },
        ];
      const rows = Object.keys(recordAt(result.document, 'ratio')).flatMap((level) =>
        ['claim', 'settle'].flatMap((verb): Bar[] => {
          const bar = barOf(
            `many jobs ${level}`,
            verb,
            'own',
            measuredAt(at(result.document, 'ratio', level), verb),
          );
          return bar === null ? [] : [bar];
        }),
      );
      return [
        {
          kind: 'bars',
          title: `Time over that with few jobs, ${labels[n]}`,
          unit: '',
          better: 'lower',
          mark: 1,
          rows,
        },
      ];
    });
  },
};

const CASES: Readonly<Record<string, string>> = {
  fresh: 'fresh',
  finished: 'millions of finished jobs',
  snapshot: 'an old snapshot is held',
};

/** What each kind of job costs the store. */
export const verbs: Recipe = {
  commands: ['verbs'],
  title: 'Cost by kind of job',
  intro: "Time of the store's verbs alone, without client and worker, in batches.",
  charts: (results): Chart[] => {
    const labels = labelsOf(results);
    return (['enqueueMicros', 'finishMicros'] as const).map((field): Bars => {
      const rows = results.flatMap((result, n) =>
        Object.entries(recordAt(result.document, 'kinds')).flatMap(([kind, figures]): Bar[] => {
          const bar = barOf(
            labels[n] ?? '',
            kind,
            kind === 'plain' ? 'ceiling' : 'own',
            measuredAt(figures, field),
          );
          return bar === null ? [] : [bar];
        }),
      );
      const title = field === 'enqueueMicros' ? 'To enqueue a job' : 'To claim and settle a job';
      return { kind: 'bars', title, unit: 'µs', better: 'lower', rows };
    });
  },
};

/** Handlers inline, in threads and in processes. */
export const lanes: Recipe = {
  commands: ['lanes'],
  title: 'Lanes',
  intro: 'What it gains to run handlers that compute in threads or processes, and what it costs.',
  charts: (results): Chart[] => {
    const labels = labelsOf(results);
    return results.flatMap((result, n): Chart[] => {
      const { document } = result;
      const suffix = results.length > 1 ? `, ${labels[n]}` : '';
      const chart = (
        title: string,
        unit: string,
        better: 'higher' | 'lower',
        from: Readonly<Record<string, unknown>>,
        field: string | null,
        mark?: number,
      ): Bars => ({
        kind: 'bars',
        title: `${title}${suffix}`,
        unit,
        better,
        ...(mark === undefined ? {} : { mark }),
        rows: Object.entries(from).flatMap(([name, figures]): Bar[] => {
          const bar = barOf(
            '',
            LANES[name] ?? systemLabel(name),
            isOwn(name) || name in LANES ? 'own' : 'other',
            field === null ? measuredAt({ figures }, 'figures') : measuredAt(figures, field),
          );
          return bar === null ? [] : [bar];
        }),
      });
      const cpu = recordAt(document, 'cpu', 'lanes');
      return [
        chart('Jobs that compute, share of the cores', '', 'higher', cpu, 'share', 1),
        chart('An inline job beside them is picked up after, p99', 'ms', 'lower', cpu, 'pickupP99'),
        chart(
          'A job that does nothing, store included',
          'µs',
          'lower',
          recordAt(document, 'overhead', 'microsPerJob'),
          null,
        ),
        chart(
          'A round trip through the pool, 16 in flight',
          'µs',
          'lower',
          recordAt(document, 'pools', 'microsPerJob'),
          '16',
        ),
      ].filter(({ rows }) => rows.length > 0);
    });
  },
};

const LANES: Readonly<Record<string, string>> = {
  async: `${OWN}, inline`,
  thread: `${OWN}, threads`,
  process: `${OWN}, processes`,
};
