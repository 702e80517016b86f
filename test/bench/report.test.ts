/** Reports of recorded results: everything measured is shown, as text too, in a page that needs nothing else. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { medianOf } from '../../bench/src/kit/ratio.ts';
import { type Chart, tableOf } from '../../bench/src/report/chart.ts';
import { reportPage } from '../../bench/src/report/html/page.ts';
import { readResults } from '../../bench/src/report/read-results.ts';
import { reportOf } from '../../bench/src/report/report.ts';
import { type Result, resultOfDocument } from '../../bench/src/report/result.ts';
import { bench, temporaryFolder } from './bench-process.ts';

const RECORDED = fileURLToPath(new URL('../../bench/results', import.meta.url));
const recorded = readResults([RECORDED]);

function result(figures: object, name = 'made.json'): Result {
  return resultOfDocument(name, {
    schema: 'longshore-bench/1',
    command: 'made',
    startedAt: '2026-11-22T10:00:00.000Z',
    tookMs: 10,
    settings: { repeat: 5, store: 'sqlite' },
    machine: { cpu: 'x', cores: 2 },
    ...figures,
  });
}

function chartsOf(results: readonly Result[]): readonly Chart[] {
  return reportOf(results).sections.flatMap(({ charts }) => charts);
}

test('every recorded result has charts, and their figures are those of the result', () => {
  assert.ok(recorded.length > 10);
  for (const one of recorded) assert.ok(chartsOf([one]).length > 0, one.name);
  const rivals = recorded.find(({ name }) => name.endsWith('-rivals.json')) as Result;
  const cells = rivals.cells.filter(
    ({ id }) => /handler=none/.test(String(id)) && !/temporal/.test(String(id)),
  );
  const rates = chartsOf([rivals]).find(({ title }) => title === 'Process, none');
  assert.deepEqual(
    rates?.kind === 'bars' && rates.rows.map(({ value }) => value),
    cells.map(({ figures }) =>
      medianOf((figures as Record<string, { values: number[] }>)['processPerSecond']?.values ?? []),
    ),
  );
});

test('a setting that always comes with another names no bar', () => {
  const rivals = recorded.find(({ name }) => name.endsWith('-rivals.json')) as Result;
  const labels = chartsOf([rivals]).flatMap((chart) =>
    chart.kind === 'bars' && chart.title.startsWith('Process, ') ? chart.rows.map(({ label }) => label) : [],
  );
  assert.ok(labels.includes('Longshore'));
  assert.deepEqual(
    labels.filter((label) => /warmup|batch|jobs/.test(label)),
    [],
  );
});

test('results of one command and several stores are one chart with a group for each', () => {
  const verbs = recorded.filter(({ command }) => command === 'verbs');
  const [chart] = chartsOf(verbs);
  assert.equal(chart?.kind, 'bars');
  assert.deepEqual(
    new Set(chart?.kind === 'bars' ? chart.rows.map(({ group }) => group) : []),
    new Set(['SQLite', 'PostgreSQL', 'Redis', 'memory']),
  );
});

test('the page holds every figure as text beside its charts, and names no other file', () => {
  const page = reportPage(recorded, 'All');
  const charts = chartsOf(recorded);
  const drawn = charts.filter(({ kind }) => kind !== 'rows').length;
  assert.equal(page.match(/<figure>/g)?.length, drawn);
  // A wide and a narrow drawing each.
  assert.equal(page.match(/role="img"/g)?.length, 2 * drawn);
  assert.equal(page.match(/<table>/g)?.length, charts.length);
  for (const cell of charts.flatMap((chart) =>
    chart.kind === 'lines' ? [] : tableOf(chart).slice(1).flat(),
  ))
    assert.ok(page.includes(`>${cell.replaceAll("'", '&#39;').replaceAll('"', '&#34;')}<`), cell);
  assert.doesNotMatch(page, /<script|<link|<iframe|\bsrc=|@import|href="(?!#)|url\((?!#)/);
  assert.doesNotMatch(page.replaceAll('http://www.w3.org/', ''), /https?:\/\//);
  assert.doesNotMatch(page, /NaN|undefined|Infinity/);
});

test('each result is named with its machine, its settings and the command that measures it again', () => {
  const page = reportPage(recorded, 'All');
  for (const { name } of recorded) assert.ok(page.includes(`<h3>${name}</h3>`), name);
  assert.ok(page.includes('npm run -s bench -- idle --repeat 3 --store redis --seconds 10'));
  assert.ok(page.includes('npm run -s bench -- work benchmark-workloads'));
  assert.match(page, /AMD EPYC, 2 cores/);
});

test('results of a command that nobody wrote a chart for are shown by the form of their figures', () => {
  const soak = result({
    command: 'soak',
    spread: { 'steady.processPerSecond': { median: 10, min: 9, max: 11 } },
    pickupMs: { p50: 1, p95: 2, p99: 3, p999: 4, max: 5 },
    samples: [
      { atSeconds: 0, processPerSecond: 10, rssMb: 50 },
      { atSeconds: 60, processPerSecond: 9, rssMb: 51 },
    ],
  });
  assert.deepEqual(
    chartsOf([soak]).map(({ kind, title, unit }) => [kind, title, unit]),
    [
      ['bars', 'Process per second', 'jobs/s'],
      ['lines', 'Pickup ms', 'ms'],
      ['lines', 'Process per second over time', 'jobs/s'],
      ['lines', 'Rss mb over time', 'MB'],
    ],
  );
});

test('a result without figures gives a page that says so, and names are shown as text', () => {
  const hostile = '<img src=x onerror=alert(1)>"\'&';
  const empty = result({ settings: { store: hostile } }, hostile);
  const page = reportPage([empty, result({ command: hostile, n: { [hostile]: { perSecond: 1 } } })], hostile);
  assert.ok(!page.includes('<img'));
  assert.match(reportPage([result({})], 'Empty'), /no figures that can be drawn/);
});

test('figures that are zero, broken or of another type break no chart', () => {
  const strange = [
    result({
      command: 'burndown',
      spread: { enqueuePerSecond: { median: 0, min: 0, max: 0 } },
      ceiling: null,
    }),
    result({ command: 'versus', systems: { longshore: { enqueuePerSecond: 'fast' }, x: null }, ratio: [] }),
    result({
      command: 'latency',
      pickup: { twoProcesses: { p50: 0, p99: 0 } },
      runs: [{ twoProcesses: { pickup: { histogram: 'HISTno' } } }],
    }),
    result({ command: 'fleet', fleets: [{ processes: 1, processPerSecond: 5 }, null, 3] }),
    result({
      command: 'work',
      results: [{ strategy: 'async', workload: 'cpu', jobsPerSecond: { median: 0 } }, {}],
    }),
    result({ command: 'flows', shapes: 3, burst: { a: { runsPerSecond: 0 } }, fanOut: { 10: { ms: 0 } } }),
    result({ command: 'lanes', cpu: null }),
    result({ command: 'claim-cost', rates: { a: 1 }, ratio: null }),
  ];
  const page = reportPage(strange, 'Strange');
  assert.doesNotMatch(page, /NaN|Infinity/);
});

test('report writes the page of files and folders, and as JSON what it shows', async (t) => {
  const folder = temporaryFolder(t);
  const output = join(folder, 'page.html');
  const files = readdirSync(RECORDED).filter((name) => /-idle-/.test(name));
  const written = await bench(
    'report',
    ...files.map((name) => join(RECORDED, name)),
    '--output',
    output,
    '--title',
    'Idle & more',
  );
  assert.deepEqual([written.code, written.stderr], [0, '']);
  assert.match(written.stdout, /page\.html: 3 results/);
  assert.match(readFileSync(output, 'utf8'), /<title>Idle &#38; more<\/title>/);
  const told = await bench('report', RECORDED, '--json');
  assert.equal(JSON.parse(told.stdout).sections.length > 4, true);
});

test('what is no result is refused by name, with what to do, and exit code 2', async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const huge = file('huge.json', '');
  truncateSync(huge, 65 * 2 ** 20);
  const cases: readonly (readonly [string, RegExp])[] = [
    [file('empty.json', ' \n'), /empty\.json is empty; expected a result of the bench/],
    [file('cut.json', '{"schema":'), /cut\.json is no JSON \(.+\); expected a result/],
    [file('list.json', '[1]'), /list\.json has no "schema"/],
    [file('null.json', 'null'), /null\.json has no "schema"/],
    [
      file('newer.json', '{"schema":"longshore-bench/99"}'),
      /newer\.json has the schema "longshore-bench\/99", and this version reads/,
    ],
    [file('bare.json', '{"schema":"longshore-bench/1"}'), /bare\.json lacks its command/],
    [
      file('when.json', '{"schema":"longshore-bench/1","command":"x","startedAt":"soon"}'),
      /when\.json lacks the time/,
    ],
    [huge, /huge\.json has 65 MB, and a result has at most 64 MB/],
    [join(folder, 'missing.json'), /missing\.json cannot be read: ENOENT/],
  ];
  const refuse = async ([path, message]: readonly [string, RegExp]): Promise<void> => {
    const { code, stdout, stderr } = await bench('report', path, '--output', join(folder, 'page.html'));
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack');
  };
  for (let at = 0; at < cases.length; at += 3) await Promise.all(cases.slice(at, at + 3).map(refuse));
  assert.ok(!readdirSync(folder).includes('page.html'));
  const nowhere = await bench('report', RECORDED, '--output', join(folder, 'no', 'page.html'));
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /ENOENT/);
});
