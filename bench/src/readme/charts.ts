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
  /** Which of the report's charts. */
  readonly shows: (title: string) => boolean;
}

const RATES = (title: string): boolean => /^(Enqueue|Claim, run and complete)\b/.test(title);
const PICKUP = (title: string): boolean => title.startsWith('From the intended send time');

export const README_CHARTS: readonly ReadmeChart[] = [
  {
    name: 'rates-postgres',
    of: ['versus-postgres'],
    title: 'No-op jobs a second on PostgreSQL, one worker process',
    words: 'No-op jobs a second on PostgreSQL: Longshore, graphile-worker, pg-boss',
    shows: RATES,
  },
  {
    name: 'rates-redis',
    of: ['versus-redis'],
    title: 'No-op jobs a second on Redis, one worker process',
    words: 'No-op jobs a second on Redis: Longshore, BullMQ',
    shows: RATES,
  },
  {
    name: 'pickup-postgres',
    of: ['latency-rivals-postgres'],
    title: 'From the intended send time to the handler on PostgreSQL, ms by percentile',
    words: 'From the intended send time to the handler on PostgreSQL: Longshore, graphile-worker, pg-boss',
    shows: PICKUP,
  },
  {
    name: 'pickup-redis',
    of: ['latency-rivals-redis'],
    title: 'From the intended send time to the handler on Redis, ms by percentile',
    words: 'From the intended send time to the handler on Redis: Longshore, BullMQ',
    shows: PICKUP,
  },
  {
    name: 'strategies',
    of: ['work-benchmark-workloads'],
    title: 'Jobs a second by strategy: jobs that compute (cpu), jobs that write and sync files (io)',
    words: 'Jobs that compute and jobs that write files, by strategy',
    shows: (title) => title.startsWith('Rate by strategy') && !title.includes('workload'),
  },
  {
    name: 'workers',
    of: ['fleet-sqlite', 'fleet-postgres', 'fleet-redis'],
    title: 'Worker processes on one queue, two cores for all of them and the server',
    words: 'Rate by worker processes on SQLite, PostgreSQL and Redis',
    shows: () => true,
  },
];

export function readmeChart({ of, title, shows }: ReadmeChart, recorded: Recorded): string {
  const results = of.map((name) => resultOf(name, recorded));
  const charts = reportOf(results, curveOf).sections.flatMap((section) =>
    section.charts.filter((chart): chart is Drawable => chart.kind !== 'rows' && shows(chart.title)),
  );
  if (charts.length === 0)
    throw new Error(`The recorded ${of.join(', ')} hold nothing for the chart "${title}".`);
  return standaloneSvg(charts.map(shortened), title, subtitle(results));
}

/** The chart's title names the store already. */
function shortened(chart: Drawable): Drawable {
  return { ...chart, title: chart.title.replace(/ on \w+$/, '') };
}

function subtitle(results: readonly Result[]): string {
  const [{ settings, machine, startedAt }] = results as [Result];
  const runs = Number(settings['repeat']);
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
