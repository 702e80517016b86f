import { readFileSync } from 'node:fs';
import type { Lines } from '../chart.ts';
import { type Drawable, drawChart } from './draw.ts';
import { inColours } from './draw-lines.ts';
import { escaped } from './escaped.ts';

const PALETTE = readFileSync(new URL('palette.css', import.meta.url), 'utf8');

const WIDTH = 820;
const EDGE = 20;
const GAP = 24;
const HEAD = 62;
const CHARACTER_PX = 7;

/**
 * Charts side by side as one SVG file, for pages that show it as an image. It brings its colours and follows the system's
 * choice of light and dark.
 */
export function standaloneSvg(charts: readonly Drawable[], title: string, subtitle: string): string {
  const width = Math.floor((WIDTH - 2 * EDGE - GAP * (charts.length - 1)) / charts.length);
  const panels = charts.map((chart, n) => panel(chart, charts.length > 1, EDGE + n * (width + GAP), width));
  const height = HEAD + Math.max(...panels.map((one) => one.height)) + EDGE;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif" font-size="12" fill="currentColor" role="img" aria-label="${escaped(title)}">
<style>${PALETTE} svg { color: var(--text); }</style>
<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="10" fill="var(--card)" stroke="var(--edge)"/>
<text x="${EDGE}" y="30" font-size="16" font-weight="600">${escaped(title)}</text>
<text x="${EDGE}" y="49" fill="var(--quiet)">${escaped(subtitle)}</text>
${panels.map(({ svg }) => svg).join('\n')}
</svg>
`;
}

function panel(
  chart: Drawable,
  titled: boolean,
  x: number,
  width: number,
): { readonly svg: string; readonly height: number } {
  const parts: string[] = [];
  let y = HEAD;
  if (titled) {
    parts.push(
      `<text x="${x}" y="${y + 14}" font-weight="600">${escaped(chart.title)}<tspan fill="var(--quiet)" font-weight="400">${chart.unit === '' ? '' : `, ${escaped(chart.unit)}`}</tspan></text>`,
    );
    y += 26;
  }
  if (chart.kind === 'lines') {
    const { svg, height } = legend(chart, x, y, width);
    parts.push(svg);
    y += height;
  }
  const drawn = drawChart(chart, width);
  parts.push(drawn.replace('<svg', `<svg x="${x}" y="${y}"`));
  return { svg: parts.join('\n'), height: y - HEAD + Number(/ height="([\d.]+)"/.exec(drawn)?.[1] ?? 0) };
}

function legend(
  { series }: Lines,
  left: number,
  top: number,
  width: number,
): { readonly svg: string; readonly height: number } {
  let [x, y] = [left, top];
  const items = inColours(series).map(({ name, colour, dash }) => {
    const size = 34 + name.length * CHARACTER_PX + 14;
    if (x > left && x + size > left + width) [x, y] = [left, y + 20];
    const item = `<line x1="${x}" x2="${x + 26}" y1="${y + 8}" y2="${y + 8}" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/><text x="${x + 34}" y="${y + 12}">${escaped(name)}</text>`;
    x += size;
    return item;
  });
  return { svg: items.join(''), height: y - top + 24 };
}
