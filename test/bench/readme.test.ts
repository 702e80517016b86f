import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withFigures } from '../../bench/src/commands/readme.ts';
import { README_CHARTS, readmeChart } from '../../bench/src/readme/charts.ts';
import { Recorded } from '../../bench/src/readme/recorded.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const recorded = new Recorded(join(ROOT, 'bench/results'));
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

test('the charts and tables of the README are those of the newest recorded results', () => {
  // By lines: the whole page in a message cannot be read.
  const lines = withFigures(readme, recorded).split('\n');
  assert.deepEqual(
    readme.split('\n').filter((line) => !lines.includes(line)),
    [],
  );
  assert.ok(readme === lines.join('\n'), 'npm run -s bench -- readme writes them');
});

test('a page without a place for the figures is left alone, with an error', () => {
  assert.throws(() => withFigures('# Longshore\n', recorded), /lacks the line <!-- figures/);
});

test('the charts are what the renderer of reports makes of the newest recorded results, and no others', () => {
  const folder = join(ROOT, 'docs/charts');
  assert.deepEqual(readdirSync(folder).sort(), README_CHARTS.map(({ name }) => `${name}.svg`).sort());
  for (const chart of README_CHARTS)
    assert.equal(
      readFileSync(join(folder, `${chart.name}.svg`), 'utf8'),
      readmeChart(chart, recorded),
      chart.name,
    );
});

test('every table and chart of the README leads to recorded results, which are there', () => {
  const [, figures = ''] = /<!-- figures:[^>]*-->([\s\S]*)<!-- end of figures -->/.exec(readme) ?? [];
  const links = [...figures.matchAll(/\]\((bench\/results\/[^)]+)\)/g)].map(([, path]) => path as string);
  assert.ok(links.length > 10);
  for (const path of links) assert.ok(existsSync(join(ROOT, path)), path);
  // Each block of figures ends with its sources; headings and introductions have none.
  for (const block of figures.split('\n\n').filter((text) => /^\||^!\[/m.test(text))) {
    const place = figures.indexOf(block) + block.length;
    const source = figures.slice(place).search(/<sub>.*bench\/results\//);
    assert.ok(
      block.includes('bench/results/') || (source >= 0 && !/\n\|/.test(figures.slice(place, place + source))),
      block,
    );
  }
});
