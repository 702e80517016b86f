import * as Plot from '@observablehq/plot';
import { type Bars, type Chart, formatNumber, type Rows, type Whose } from '../chart.ts';
import { heat } from './draw-heat.ts';
import { lines } from './draw-lines.ts';
import { CHARACTER_PX, type Drawn, plot, shortNumber, textWidth } from './plot.ts';

/** As SVG. `width` in CSS pixels: a page holds a wide and a narrow drawing of each chart, since shrunk text cannot be read. */
export function drawChart(chart: Drawable, width: number): string {
  const drawn =
    chart.kind === 'bars'
      ? bars(chart, width)
      : chart.kind === 'lines'
        ? lines(chart, width)
        : heat(chart, width);
  drawn.removeAttribute('class');
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-label', chart.title);
  for (const style of drawn.querySelectorAll('style')) style.remove();
  return drawn.outerHTML;
}

/** The others are tables. */
export type Drawable = Exclude<Chart, Rows>;

const COLOURS: Readonly<Record<Whose, string>> = {
  own: 'var(--own)',
  ceiling: 'var(--ceiling)',
  other: 'var(--other)',
};

function bars(chart: Bars, width: number): Drawn {
  const { rows, mark } = chart;
  const labelWidth = textWidth(
    rows.map(({ label }) => label),
    30,
    width * 0.46,
  );
  const groups = [...new Set(rows.map(({ group }) => group))];
  // Each group has its own axis of labels; bars keep one height throughout.
  const drawn = rows.map((row) => ({ ...row, key: `${row.group}\u0000${row.label}` }));
  const entries = groups.flatMap((group) => [
    ...(group === '' ? [] : [`\u0001${group}`]),
    ...drawn.filter((row) => row.group === group).map(({ key }) => key),
  ]);
  const furthest = Math.max(...rows.map(({ value, high }) => Math.max(value, high ?? value)), mark ?? 0);
  const least = Math.min(0, ...rows.map(({ value, low }) => Math.min(value, low ?? value)));
  const end = (row: { value: number; high: number | null }): number =>
    Math.max(row.value, row.high ?? row.value);
  return plot({
    width,
    marginLeft: labelWidth + 10,
    marginRight: 58,
    marginTop: 4,
    marginBottom: 26,
    height: 34 + entries.length * 24,
    x: {
      domain: [least, furthest || 1],
      ticks: Math.max(2, Math.floor((width - labelWidth) / 90)),
      label: null,
      tickFormat: shortNumber,
    },
    y: { domain: entries, label: null, padding: 0.28, axis: null },
    marks: [
      Plot.gridX({ stroke: 'var(--grid)', strokeOpacity: 1 }),
      Plot.barX(drawn, {
        x: 'value',
        y: 'key',
        fill: (row) => COLOURS[(row as (typeof drawn)[number]).whose],
        rx2: 3,
        title: (row) => describe(row as (typeof drawn)[number], chart.unit),
      }),
      ...(mark === undefined ? [] : [Plot.ruleX([mark], { stroke: 'currentColor', strokeDasharray: '4 3' })]),
      Plot.ruleY(
        drawn.filter(
          ({ low, high, value }) => low !== null && high !== null && (low !== value || high !== value),
        ),
        {
          x1: 'low',
          x2: 'high',
          y: 'key',
          stroke: 'var(--range)',
          strokeWidth: 2,
        },
      ),
      Plot.text(drawn, {
        x: end,
        y: 'key',
        text: (row) => formatNumber((row as { value: number }).value),
        dx: 6,
        textAnchor: 'start',
        fill: 'currentColor',
      }),
      Plot.text(drawn, {
        frameAnchor: 'left',
        y: 'key',
        text: (row) => shortened((row as { label: string }).label, labelWidth),
        dx: -8,
        textAnchor: 'end',
        fill: 'currentColor',
      }),
      Plot.text(
        groups.filter((group) => group !== ''),
        {
          frameAnchor: 'left',
          y: (group: string) => `\u0001${group}`,
          text: (group: string) => group,
          dx: -(labelWidth + 8),
          textAnchor: 'start',
          fontWeight: 600,
          fill: 'currentColor',
        },
      ),
    ],
  });
}

function describe(
  row: { label: string; group: string; value: number; low: number | null; high: number | null },
  unit: string,
): string {
  const range =
    row.low === null || row.high === null ? '' : ` (${formatNumber(row.low)} to ${formatNumber(row.high)})`;
  return `${row.group === '' ? '' : `${row.group}, `}${row.label}: ${formatNumber(row.value)} ${unit}${range}`;
}

function shortened(label: string, widthPx: number): string {
  const most = Math.round(widthPx / CHARACTER_PX);
  return label.length <= most ? label : `${label.slice(0, Math.max(most - 1, 1))}…`;
}
