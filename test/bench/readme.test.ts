import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withTables } from '../../bench/src/commands/readme.ts';
import { Recorded } from '../../bench/src/readme/recorded.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const recorded = new Recorded(join(ROOT, 'bench/results'));
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

test('the tables of the README are those of the newest recorded results', () => {
  assert.equal(readme, withTables(readme, recorded));
});

test('a page without a place for the tables is left alone, with an error', () => {
  assert.throws(() => withTables('# Longshore\n', recorded), /lacks the line <!-- figures/);
});

test('the charts were drawn from the newest recorded results, and the README shows them', () => {
  const charts = readdirSync(join(ROOT, 'docs/charts'));
  assert.ok(charts.length > 0);
  for (const chart of charts) {
    const [firstLine = ''] = readFileSync(join(ROOT, 'docs/charts', chart), 'utf8').split('\n');
    const [, file, name = ''] = /^<!-- drawn from (\d{4}-\d\d-\d\d-(.+)\.json) -->$/.exec(firstLine) ?? [];
    assert.equal(file, recorded.newest(name), chart);
    assert.ok(readme.includes(`(docs/charts/${chart})`), chart);
  }
});
