/**
 * Draws the README's charts from recorded results: node draw.mjs RESULTS OUTPUT. Each chart is of the newest document of
 * its command and says of which day and machine. Vega-Lite, since it makes SVG without a browser.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { pickupSpec } from './pickup.mjs';
import { ratesSpec } from './rates.mjs';
import { strategiesSpec } from './strategies.mjs';

const CHARTS = [
  { name: 'rates-postgres', of: 'versus-postgres', spec: ratesSpec },
  { name: 'rates-redis', of: 'versus-redis', spec: ratesSpec },
  { name: 'pickup-postgres', of: 'latency-rivals-postgres', spec: pickupSpec },
  { name: 'pickup-redis', of: 'latency-rivals-redis', spec: pickupSpec },
  { name: 'strategies', of: 'work-benchmark-workloads', spec: strategiesSpec },
];

/** Legible on white and, since the background is drawn, in pages that are dark. */
const CONFIG = {
  background: '#ffffff',
  padding: 12,
  font: 'system-ui, sans-serif',
  title: { anchor: 'start', fontSize: 14, subtitleFontSize: 11, subtitleColor: '#555' },
  axis: { labelFontSize: 11, titleFontSize: 11, grid: true, gridColor: '#eee', domain: false },
  header: { labelFontSize: 12, labelFontWeight: 'bold' },
  view: { stroke: null },
};

const [results, output] = process.argv.slice(2);
for (const folder of [results, output]) {
  if (folder !== undefined && existsSync(folder)) continue;
  process.stderr.write(`bench charts: there is no folder ${folder}\n`);
  process.exit(1);
}
for (const { name, of, spec } of CHARTS) {
  const file = newest(of);
  if (file === undefined) {
    process.stderr.write(`${name}: there is no recorded ${of}\n`);
    continue;
  }
  const view = new View(parse(compile({ ...spec(document(file)), config: CONFIG }).spec), {
    renderer: 'none',
  });
  writeFileSync(join(output, `${name}.svg`), `<!-- drawn from ${file} -->\n${await view.toSVG()}\n`);
  process.stdout.write(`${name}.svg from ${file}\n`);
}

/** Names begin with the day. */
function newest(command) {
  const days = /^\d{4}-\d\d-\d\d-(.+)\.json$/;
  return readdirSync(results)
    .filter((name) => days.exec(name)?.[1] === command)
    .sort()
    .at(-1);
}

function document(file) {
  return JSON.parse(readFileSync(join(results, file), 'utf8'));
}
