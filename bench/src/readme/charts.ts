import { isRecord } from '../report/fields.ts';
import { figuresOf } from '../report/figures.ts';
import type { Drawable } from '../report/html/draw.ts';
import { curveOf } from '../report/html/histograms.ts';
import { standaloneSvg } from '../report/html/standalone.ts';
import { commandLine } from '../report/origin.ts';
import { reportOf } from '../report/report.ts';
import { type Result, resultOfDocument } from '../report/result.ts';
import type { Recorded } from './recorded.ts';

/** The README's charts, drawn by the renderer of reports from the newest recorded results. */
export interface ReadmeChart {
  /** Of the file in docs/charts, without `.svg`. */
  readonly name: string;
  /** Recorded results, by their names without the day. */
  readonly of: readonly string[];
  readonly title: string;
  /** For those who do not see the chart. */
  readonly words: string;
  /** Which cells of the result, where it has cells. */
  readonly cells?: Readonly<Record<string, string>>;
  /** Which of the report's charts. */
  readonly shows: (title: string) => boolean;
}

const RATES = (title: string): boolean => /^(Submit|Process)$/.test(title);
const PICKUP = (title: string): boolean => title.startsWith('Enqueue to start');

export const README_CHARTS: readonly ReadmeChart[] = [
  {
    name: 'rates-postgres',
    of: ['rivals'],
    cells: { store: 'postgres', handler: 'none' },
    title: 'No-op jobs a second on PostgreSQL, one worker process',
    words: 'No-op jobs a second on PostgreSQL: Longshore and other systems',
    shows: RATES,
  },
  {
    name: 'rates-redis',
    of: ['rivals'],
    cells: { store: 'redis', handler: 'none' },
    title: 'No-op jobs a second on Redis, one worker process',
    words: 'No-op jobs a second on Redis: Longshore and other systems',
    shows: RATES,
  },
  {
    name: 'pickup-postgres',
    of: ['rivals'],
    cells: { store: 'postgres', benchmark: 'open-loop' },
    title: 'From the intended send time to the handler on PostgreSQL, ms by percentile',
    words: 'From the intended send time to the handler on PostgreSQL: Longshore and other systems',
    shows: PICKUP,
  },
  {
    name: 'pickup-redis',
    of: ['rivals'],
    cells: { store: 'redis', benchmark: 'open-loop' },
    title: 'From the intended send time to the handler on Redis, ms by percentile',
    words: 'From the intended send time to the handler on Redis: Longshore and other systems',
    shows: PICKUP,
  },
  {
    name: 'strategies',
    of: ['work-benchmark-workloads'],
    title: 'Jobs a second by strategy: jobs that compute (cpu), jobs that write and sync files (io)',
    words: 'Jobs that compute and jobs that write files, by strategy',
    shows: (title) => title === 'Jobs',
  },
];

export function readmeChart({ of, cells, title, shows }: ReadmeChart, recorded: Recorded): string {
  const results = of.map((name) => withCells(resultOf(name, recorded), cells));
  const charts = reportOf(results, curveOf).sections.flatMap((section) =>
    section.charts.filter((chart): chart is Drawable => chart.kind !== 'rows' && shows(chart.title)),
  );
  if (charts.length === 0)
    throw new Error(`The recorded ${of.join(', ')} hold nothing for the chart "${title}".`);
  return standaloneSvg(charts, title, subtitle(results));
}

function withCells(result: Result, wanted: ReadmeChart['cells'] = {}): Result {
  const cells = result.cells.filter(({ benchmark, workload }) => {
    const all: Readonly<Record<string, unknown>> = { benchmark, ...(isRecord(workload) ? workload : {}) };
    return Object.entries(wanted).every(([name, value]) => all[name] === value);
  });
  return { ...result, cells };
}

function subtitle(results: readonly Result[]): string {
  const [result] = results as [Result];
  const { machine, startedAt } = result;
  const runs = Math.min(...figuresOf(result).map((figure) => figure.runs));
  const how = runs > 1 ? `medians and ranges of ${runs} runs, ` : '';
  return `${how}${String(machine['cores'])} cores, ${startedAt.slice(0, 10)}`;
}

/** The images, each a link to what was recorded, with the commands that measured it. */
export function chartLinks(recorded: Recorded): string {
  return README_CHARTS.map(({ name, of, words }) => {
    const [first = ''] = of;
    const [result] = of.map((one) => resultOf(one, recorded)) as [Result];
    const sources = of.map((one) => `[${one}](bench/results/${recorded.newest(one)})`);
    const how = `\`${commandLine(result)}\`${of.length > 1 ? ' and the same for the others' : ''}, at ${String(result.machine['commit']).slice(0, 7)}`;
    return `[![${words}](docs/charts/${name}.svg)](bench/results/${recorded.newest(first)})\n\n<sub>${sources.join(', ')}: ${how}</sub>`;
  }).join('\n\n');
}

function resultOf(name: string, recorded: Recorded): Result {
  return resultOfDocument(recorded.newest(name) ?? name, recorded.document(name));
}
