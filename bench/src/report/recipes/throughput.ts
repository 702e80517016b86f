import { type Bar, type Bars, type Chart, formatNumber } from '../chart.ts';
import { measuredAt, numberAt, recordAt } from '../fields.ts';
import { CEILING, isOwn, labelsOf, OWN, type Recipe, storeName, systemLabel } from '../recipe.ts';
import type { Result } from '../result.ts';

const PHASES = [
  { field: 'enqueue', title: 'Enqueue' },
  { field: 'process', title: 'Claim, run and complete' },
] as const;

/** Filling and emptying a queue beside a loop written by hand: what the store and machine could give. */
export const burndown: Recipe = {
  commands: ['burndown'],
  title: 'Throughput against the ceiling',
  intro:
    'A queue is filled and emptied with jobs that do nothing, beside a loop written by hand on the same store. Bars are medians; lines reach from the slowest run to the fastest.',
  charts: (results) => {
    const labels = labelsOf(results);
    return PHASES.map(({ field, title }): Bars => {
      const name = `${field}PerSecond`;
      const rows = results.flatMap((result, n): Bar[] => {
        const group = labels[n] ?? '';
        return [
          barOf(
            group,
            OWN,
            'own',
            measuredAt(result.document, 'spread', name) ?? measuredAt(result.document, name),
          ),
          barOf(
            group,
            CEILING,
            'ceiling',
            measuredAt(result.document, 'spread', `ceiling.${name}`) ??
              measuredAt(result.document, 'ceiling', name),
          ),
        ].flatMap((bar) => (bar === null ? [] : [bar]));
      });
      return { kind: 'bars', title, unit: 'jobs/s', better: 'higher', rows };
    }).concat(commits(results, labels));
  },
  tiles: (results) =>
    results.flatMap((result) => {
      const perSecond = numberAt(result.document, 'processPerSecond');
      if (perSecond === null) return [];
      return [
        {
          value: formatNumber(perSecond),
          label: `jobs/s claimed, run and completed on ${storeName(result)}`,
        },
      ];
    }),
};

function commits(results: readonly Result[], labels: readonly string[]): Bars[] {
  const rows = results.flatMap((result, n) =>
    (['perSecond', 'oneCommitEachPerSecond', 'bareCommitEachPerSecond'] as const).flatMap((name) => {
      const found =
        measuredAt(result.document, 'spread', `groupCommit.${name}`) ??
        measuredAt(result.document, 'groupCommit', name);
      const bar = barOf(labels[n] ?? '', COMMITS[name], name.startsWith('bare') ? 'ceiling' : 'own', found);
      return bar === null ? [] : [bar];
    }),
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: 'bars',
      title: 'Single enqueues, each durable when it resolves',
      unit: 'jobs/s',
      better: 'higher',
      rows,
    },
  ];
}

const COMMITS = {
  perSecond: '100 callers at once',
  oneCommitEachPerSecond: 'one caller, one after the other',
  bareCommitEachPerSecond: 'a bare commit each',
};

/** Other job systems on the same server. */
export const versus: Recipe = {
  commands: ['versus'],
  title: 'Throughput against other systems',
  intro:
    'The same jobs on the same server with the same durability, each system through its public interface, in turns. Lines reach from the slowest run to the fastest.',
  charts: (results) => {
    const labels = labelsOf(results);
    return results.flatMap((result, n): Chart[] => {
      const systems = Object.entries(recordAt(result.document, 'systems'));
      const chart = (field: string, title: string, unit: string, better: 'higher' | 'lower'): Bars => ({
        kind: 'bars',
        title: `${title} on ${labels[n]}`,
        unit,
        better,
        rows: systems.flatMap(([system, figures]) => {
          const bar = barOf(
            '',
            systemLabel(system),
            isOwn(system) ? 'own' : 'other',
            measuredAt(figures, field),
          );
          return bar === null ? [] : [bar];
        }),
      });
      return [
        ...PHASES.map(({ field, title }) => chart(`${field}PerSecond`, title, 'jobs/s', 'higher')),
        ratios(result, labels[n] ?? ''),
        chart('processCpuMicrosPerJob', 'Processor time of a job', 'µs', 'lower'),
      ];
    });
  },
  tiles: (results) =>
    results.flatMap((result) =>
      Object.entries(recordAt(result.document, 'ratio'))
        .slice(0, 1)
        .flatMap(([system, ratio]) => {
          const times = numberAt(ratio, 'process', 'median');
          return times === null
            ? []
            : [{ value: `× ${formatNumber(times)}`, label: `the rate of ${system} on ${storeName(result)}` }];
        }),
    ),
};

function ratios(result: Result, label: string): Bars {
  const rows = Object.entries(recordAt(result.document, 'ratio')).flatMap(([system, ratio]) =>
    PHASES.flatMap(({ field, title }) => {
      const bar = barOf(title, `over ${system}`, 'own', measuredAt(ratio, field));
      return bar === null ? [] : [bar];
    }),
  );
  return {
    kind: 'bars',
    title: `Longshore's rate, times the other's, on ${label}`,
    unit: '',
    better: 'higher',
    mark: 1,
    rows: PHASES.flatMap(({ title }) => rows.filter(({ group }) => group === title)),
  };
}

export function barOf(
  group: string,
  label: string,
  whose: Bar['whose'],
  measured: ReturnType<typeof measuredAt>,
): Bar | null {
  return measured === null ? null : { group, label, whose, ...measured };
}
