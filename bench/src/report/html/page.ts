import { readFileSync } from 'node:fs';
import { type Chart, type Lines, type Section, tableOf } from '../chart.ts';
import { commandLine, machineRows, settingRows, sharedMachine } from '../origin.ts';
import { reportOf } from '../report.ts';
import type { Result } from '../result.ts';
import { drawChart } from './draw.ts';
import { inColours } from './draw-lines.ts';
import { escaped } from './escaped.ts';
import { curveOf } from './histograms.ts';

const STYLE = ['palette.css', 'page.css']
  .map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
  .join('');

/** CSS pixels of the two drawings of each chart, as page.css shows them. */
const WIDE = 500;
const NARROW = 318;

/**
 * Results as one HTML page that needs no other file and no script: charts as SVG with their figures as tables, then
 * machine, settings and command of each result.
 */
export function reportPage(results: readonly Result[], title: string): string {
  const { tiles, sections } = reportOf(results, curveOf);
  const days = [...new Set(results.map(({ startedAt }) => startedAt.slice(0, 10)))].sort();
  const span = days.length > 1 ? `${days[0]} to ${days.at(-1)}` : (days[0] ?? '');
  const machine = sharedMachine(results);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p>${results.length} ${results.length === 1 ? 'result' : 'results'}, ${escaped(span)}${machine === null ? '' : `. ${escaped(machine)}`}.</p>
${tiles.length === 0 ? '' : `<ul class="tiles">${tiles.map(({ value, label }) => `<li><b>${escaped(value)}</b> ${escaped(label)}</li>`).join('')}</ul>`}
<nav aria-label="Sections"><ul>${sections.map((section, n) => `<li><a href="#section-${n + 1}">${escaped(section.title)}</a></li>`).join('')}<li><a href="#origins">How it was measured</a></li></ul></nav>
</header>
<main>
${sections.map(sectionHtml).join('\n')}
${sections.length === 0 ? '<p class="empty">These results hold no figures that can be drawn.</p>' : ''}
<section id="origins" aria-labelledby="origins-title">
<h2 id="origins-title">How it was measured</h2>
<p>Every result names its machine and settings. Figures of unlike machines are not compared.</p>
${results.map(originHtml).join('\n')}
</section>
</main>
</body>
</html>
`;
}

function sectionHtml({ title, intro, charts }: Section, n: number): string {
  const id = `section-${n + 1}`;
  return `<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${escaped(title)}</h2>
<p>${escaped(intro)}</p>
<div class="charts">
${charts.map(chartHtml).join('\n')}
</div>
</section>`;
}

function chartHtml(chart: Chart): string {
  const hint = [
    chart.unit,
    ...(chart.better === undefined ? [] : [`${chart.better} is better`]),
    ...(chart.note === undefined ? [] : [chart.note]),
  ].filter((part) => part !== '');
  const caption = `<figcaption><h3>${escaped(chart.title)}</h3>${hint.length === 0 ? '' : `<p>${escaped(hint.join(', '))}</p>`}</figcaption>`;
  if (chart.kind === 'rows') return `<figure class="rows">\n${caption}\n${tableHtml(chart)}\n</figure>`;
  return `<figure>
${caption}
${chart.kind === 'lines' ? legendHtml(chart) : ''}<div class="wide">${drawChart(chart, WIDE)}</div>
<div class="narrow">${drawChart(chart, NARROW)}</div>
<details><summary>Figures</summary>${tableHtml(chart)}</details>
</figure>`;
}

function tableHtml(chart: Chart): string {
  const [head = [], ...rows] = tableOf(chart);
  return `<div class="table" tabindex="0" role="region" aria-label="Figures of ${escaped(chart.title)}"><table>
<caption>${escaped(chart.title)}${chart.unit === '' ? '' : `, ${escaped(chart.unit)}`}</caption>
<thead><tr>${head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('')}</tr></thead>
<tbody>${rows.map(rowHtml).join('')}</tbody>
</table></div>`;
}

function rowHtml([first = '', ...cells]: readonly string[]): string {
  return `<tr><th scope="row">${escaped(first)}</th>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
}

function legendHtml({ series }: Lines): string {
  const items = inColours(series).map(
    ({ name, colour, dash }) =>
      `<li><svg width="26" height="8" aria-hidden="true"><line x1="1" x2="25" y1="4" y2="4" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/></svg>${escaped(name)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>\n`;
}

function originHtml(result: Result): string {
  const list = (rows: readonly (readonly [string, string])[]): string =>
    `<dl>${rows.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>`;
  return `<article>
<h3>${escaped(result.name)}</h3>
<pre tabindex="0"><code>${escaped(commandLine(result))}</code></pre>
<div class="origin"><div><h4>Machine</h4>${list(machineRows(result))}</div><div><h4>Settings</h4>${list(settingRows(result))}</div></div>
</article>`;
}
