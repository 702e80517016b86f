import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { neighbour } from '../neighbours.ts';
import { chartLinks, README_CHARTS, readmeChart } from '../readme/charts.ts';
import { Recorded } from '../readme/recorded.ts';
import { figureTables } from '../readme/tables.ts';

/** Tables and charts of the README, from recorded documents: of each command the newest. */
export async function readme(): Promise<void> {
  const [results, page, charts] = [
    neighbour('bench/results'),
    neighbour('README.md'),
    neighbour('docs/charts'),
  ];
  const recorded = new Recorded(results);
  writeFileSync(page, withFigures(readFileSync(page, 'utf8'), recorded));
  for (const old of readdirSync(charts)) rmSync(join(charts, old));
  for (const chart of README_CHARTS) {
    writeFileSync(join(charts, `${chart.name}.svg`), readmeChart(chart, recorded));
    process.stdout.write(
      `${chart.name}.svg from ${chart.of.map((name) => recorded.newest(name)).join(', ')}\n`,
    );
  }
}

/** The page with its charts and tables as they are to be. Throws where it has no place for them. */
export function withFigures(page: string, recorded: Recorded): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`The page lacks the line ${BEGIN} or ${END}.`);
  return `${before}${BEGIN}\n\n${chartLinks(recorded)}\n\n${figureTables(recorded)}\n\n${END}${after}`;
}

const BEGIN = '<!-- figures: npm run -s bench -- readme -->';
const END = '<!-- end of figures -->';
