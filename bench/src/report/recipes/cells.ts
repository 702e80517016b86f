import type { Chart, Section, Tile } from '../chart.ts';
import { formatNumber } from '../chart.ts';
import { itemsAt, textAt } from '../fields.ts';
import type { Curves } from '../recipe.ts';
import type { Fields, Result } from '../result.ts';
import { figureCharts, heatMaps, latencyCharts, scalingCharts, seriesCharts } from './cell-charts.ts';
import { labelled } from './cell-labels.ts';

/**
 * Results of `longshore-bench/2`: cells, each a system under a workload with the values of every round. Cells of one
 * benchmark are a section, whatever it measured; what varies among them becomes their labels, groups and axes.
 */
export function cellSections(results: readonly Result[], curves: Curves): readonly Section[] {
  const cells = results.flatMap((result) => result.cells);
  const benchmarks = [...new Set(cells.map((cell) => textAt(cell, 'benchmark') ?? 'others'))];
  const sections = benchmarks.map((benchmark): Section => {
    const own = labelled(cells.filter((cell) => (textAt(cell, 'benchmark') ?? 'others') === benchmark));
    const { title, intro } = WORDS[benchmark] ?? { title: wordsOf(benchmark), intro: '' };
    const charts = [
      ...heatMaps(own),
      ...figureCharts(own, /PerSecond$/),
      ...scalingCharts(own),
      ...latencyCharts(own, curves),
      ...figureCharts(own, /^(?!.*PerSecond$)/).slice(0, CHARTS_MAX),
      ...seriesCharts(own),
    ];
    return {
      title,
      intro: `${intro} Bars are medians of the rounds; lines reach from the slowest to the fastest.`.trim(),
      charts,
    };
  });
  return [...targetSection(results), ...sections, ...systemSection(results)];
}

const CHARTS_MAX = 12;

const WORDS: Readonly<Record<string, { readonly title: string; readonly intro: string }>> = {
  burn: { title: 'Throughput', intro: 'A full queue is worked off.' },
  'open-loop': {
    title: 'Latency',
    intro:
      'Jobs are sent at a steady rate from intended times, so a stall counts against every job it held up.',
  },
  memory: { title: 'Memory', intro: 'What a worker takes before, while and after it works.' },
  queued: { title: 'Memory of waiting jobs', intro: 'What a server takes for each job that waits.' },
  soak: { title: 'Soak', intro: 'A steady load for a long time.' },
  kinds: { title: 'Cost by kind of job', intro: 'The same job with one thing more.' },
  rivals: { title: 'Other systems', intro: 'The same work through each system’s public interface.' },
};

/** Targets that the workload names, and how many were met. */
function targetSection(results: readonly Result[]): Section[] {
  const targets = results.flatMap(({ document }) => itemsAt(document, 'targets'));
  const lacking = results.flatMap(({ cells }) => cells.filter((cell) => textAt(cell, 'status') !== 'done'));
  const charts: Chart[] = [];
  if (targets.length > 0)
    charts.push({
      kind: 'rows',
      title: 'Targets',
      unit: '',
      rows: [['', 'target', 'measured', 'of'], ...targets.map(targetRow)],
    });
  if (lacking.length > 0)
    charts.push({
      kind: 'rows',
      title: 'Not measured',
      unit: '',
      rows: [
        ['of', '', 'why'],
        ...lacking.map((cell) => [
          textAt(cell, 'id') ?? '',
          textAt(cell, 'status') ?? '',
          textAt(cell, 'reason') ?? '',
        ]),
      ],
    });
  return charts.length === 0
    ? []
    : [{ title: 'Targets', intro: 'What was asked for, and what was measured.', charts }];
}

function targetRow(target: Fields): string[] {
  const value = target['value'];
  return [
    target['passed'] === true ? 'met' : 'missed',
    textAt(target, 'name') ?? '',
    typeof value === 'number' ? `${formatNumber(value)} ${textAt(target, 'unit') ?? ''}` : 'not measured',
    textAt(target, 'cell') ?? '',
  ];
}

function systemSection(results: readonly Result[]): Section[] {
  const systems = results.flatMap(({ document }) => itemsAt(document, 'systems'));
  const seen = new Map(
    systems.map((system) => [`${textAt(system, 'name')} ${textAt(system, 'version')}`, system]),
  );
  if (seen.size === 0) return [];
  const rows = [...seen.values()].map((system) =>
    ['name', 'version', 'durability', 'retention'].map((field) => textAt(system, field) ?? '–'),
  );
  return [
    {
      title: 'Systems',
      intro: 'What survives which crash, and what becomes of finished jobs.',
      charts: [
        {
          kind: 'rows',
          title: 'Systems',
          unit: '',
          rows: [['system', 'version', 'durability', 'retention'], ...rows],
        },
      ],
    },
  ];
}

export function cellTiles(results: readonly Result[]): readonly Tile[] {
  const targets = results.flatMap(({ document }) => itemsAt(document, 'targets'));
  const met = targets.filter((target) => target['passed'] === true).length;
  return targets.length === 0 ? [] : [{ value: `${met} of ${targets.length}`, label: 'targets met' }];
}

/** `job-kinds` is "Job kinds". */
function wordsOf(name: string): string {
  const words = name.replaceAll(/[-_]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
