import type { Chart, Section, Tile } from '../chart.ts';
import { formatNumber } from '../chart.ts';
import { itemsAt, textAt } from '../fields.ts';
import type { Curves } from '../labels.ts';
import type { Fields, Result } from '../result.ts';
import { figureCharts, heatMaps, latencyCharts, scalingCharts, seriesCharts } from './cell-charts.ts';
import { labelled } from './cell-labels.ts';
import { ratioCharts } from './cell-ratios.ts';

/**
 * Results of `longshore-bench/2`: cells, each a system under a workload with the values of every round. Cells of one
 * benchmark are a section, whatever it measured; what varies among them becomes their labels, groups and axes.
 */
export function cellSections(results: readonly Result[], curves: Curves): readonly Section[] {
  const parts = new Map<string, Fields[]>();
  for (const result of results)
    for (const cell of result.cells) {
      const key = `${workloadOf(result, cell)} ${textAt(cell, 'benchmark') ?? 'others'}`;
      parts.set(key, [...(parts.get(key) ?? []), cell]);
    }
  const sections = [...parts].map(([key, cells]): Section => {
    const own = labelled(cells);
    const [title = key, intro = ''] = WORDS[key] ?? WORDS[key.split(' ')[1] ?? ''] ?? [wordsOf(key)];
    const charts = [
      ...heatMaps(own),
      ...ratioCharts(own),
      ...figureCharts(own, /PerSecond$/),
      ...scalingCharts(own),
      ...latencyCharts(own, curves),
      ...seriesCharts(own),
      ...figureCharts(own, /^(?!.*PerSecond$)/).slice(0, CHARTS_MAX),
    ];
    return { title, intro: `${intro} ${RANGES}`.trim(), charts };
  });
  return [...targetSection(results), ...sections, ...systemSection(results)];
}

/** Cells of `all` are named by the workload they are of. */
function workloadOf({ command }: Result, cell: Fields): string {
  return command === 'all' ? ((textAt(cell, 'id') ?? '').split(':')[0] ?? command) : command;
}

const RANGES = 'Bars are medians of the rounds; lines reach from the slowest to the fastest.';
const CHARTS_MAX = 12;

/** By workload and trial, or by trial alone: title and introduction. */
const WORDS: Readonly<Record<string, readonly [title: string, intro: string]>> = {
  'rivals burn': [
    'Throughput against other systems',
    'The same jobs on the same server, each system through its public interface.',
  ],
  'rivals open-loop': [
    'Latency against other systems',
    'Jobs are sent at a steady rate from intended times, so a stall counts against every job it held up.',
  ],
  'rivals flow': ['Flows against other systems', 'Runs of the same shape.'],
  'kinds burn': ['Cost by kind of job', 'The same job with one thing more.'],
  'network burn': ['With 1 ms of network', 'Programs and their server, 1 ms apart.'],
  'network open-loop': ['Latency with 1 ms of network', 'Programs and their server, 1 ms apart.'],
  burn: ['Throughput', 'A full queue is worked off.'],
  'open-loop': [
    'Latency',
    'Jobs are sent at a steady rate from intended times, so a stall counts against every job it held up.',
  ],
  memory: ['Memory', 'What a worker takes before, while and after it works.'],
  queued: ['Memory of waiting jobs', 'What a server takes for each job that waits.'],
  soak: ['Soak', 'A steady load for a long time.'],
  rate: ['Largest sustainable rate', 'The largest rate that is kept up with, by search.'],
  recover: ['Recovery', 'A worker is killed; its jobs run again elsewhere.'],
  verbs: ['Verbs of the store', 'What claim, settlement and the others take, by how full the store is.'],
  http: ['Jobs over HTTP', ''],
  heard: ['News between processes', ''],
  flow: ['Flows', 'Runs of every shape, end to end.'],
  work: [
    'Strategy and workload',
    'Jobs do a fixed amount of work, in each lane. In the heat map, colours compare the strategies of one workload: the strongest is the fastest.',
  ],
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
