import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import {
  type Bars,
  type Chart,
  formatNumber,
  formatPercentile,
  type Heat,
  type Lines,
  type Series,
  type Whose,
} from '../chart.ts';

/**
 * Charts as SVG, drawn on the server. Observable Plot, since its marks take CSS variables as colours: one drawing serves
 * light, dark and print (docs/adr/0030-reports.md). linkedom is the document it draws into.
 */
const { document } = parseHTML('<!doctype html><body></body>');

/** What is used of an SVG element; the types of Node have no document. */
interface Drawn {
  readonly outerHTML: string;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  querySelectorAll(selector: string): Iterable<{ remove(): void }>;
}

/** `width` in CSS pixels: a page holds a wide and a narrow drawing of each chart, since shrunk text cannot be read. */
export function drawChart(chart: Chart, width: number): string {
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

const COLOURS: Readonly<Record<Whose, string>> = {
  own: 'var(--own)',
  ceiling: 'var(--ceiling)',
  other: 'var(--other)',
};

const FONT_PX = 12;
const CHARACTER_PX = 6.9;

function textWidth(texts: readonly string[], least: number, most: number): number {
  return Math.min(Math.max(...texts.map((text) => text.length * CHARACTER_PX), least), most);
}

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
      domain: [0, furthest || 1],
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

function lines(chart: Lines, width: number): Drawn {
  const drawn = inColours(chart.series);
  const points = drawn.flatMap(({ name, colour, points: all }) =>
    all.map((point) => ({ ...point, x: placeOf(chart, point.x), shown: point.x, name, colour })),
  );
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const few = xs.length <= 12;
  const ticks =
    chart.x.scale === 'percentile'
      ? NINES.filter((share) => points.some(({ shown }) => shown >= share)).map(nines)
      : chart.x.scale === 'log' && few
        ? xs
        : undefined;
  const yTicks = chart.yScale === 'log' ? roundNumbers(points.map(({ y }) => y)) : 5;
  const format = (x: number): string =>
    chart.x.scale === 'percentile' ? formatPercentile(shareOf(x)) : shortNumber(x);
  return plot({
    width,
    height: 270,
    marginLeft: 52,
    marginRight: 18,
    marginTop: 22,
    marginBottom: 40,
    x: {
      type: chart.x.scale === 'log' ? 'log' : 'linear',
      label: chart.x.title,
      labelArrow: 'none',
      ...(ticks === undefined
        ? { ticks: Math.floor(width / 90), tickFormat: shortNumber }
        : { ticks, tickFormat: format }),
    },
    y: {
      type: chart.yScale,
      label: chart.unit || 'times',
      labelArrow: 'none',
      tickFormat: shortNumber,
      ticks: yTicks,
      ...(chart.yScale === 'linear' ? { zero: true } : {}),
    },
    marks: [
      Plot.gridY({ stroke: 'var(--grid)', strokeOpacity: 1, ticks: yTicks }),
      ...(chart.mark === undefined
        ? []
        : [Plot.ruleY([chart.mark], { stroke: 'currentColor', strokeDasharray: '4 3', strokeOpacity: 0.7 })]),
      Plot.ruleX(
        points.filter(({ low, high }) => low != null && high != null),
        { x: 'x', y1: 'low', y2: 'high', stroke: 'colour', strokeWidth: 1.5, strokeOpacity: 0.6 },
      ),
      ...drawn.map(({ name, colour, dash }) =>
        Plot.line(
          points.filter((point) => point.name === name),
          { x: 'x', y: 'y', stroke: colour, strokeWidth: 2, strokeDasharray: dash, curve: 'linear' },
        ),
      ),
      ...(few
        ? [
            Plot.dot(points, {
              x: 'x',
              y: 'y',
              fill: 'colour',
              r: 3.5,
              title: ({ name, shown, y }: (typeof points)[number]) =>
                `${name}, ${chart.x.scale === 'percentile' ? formatPercentile(shown) : formatNumber(shown)}: ${formatNumber(y)} ${chart.unit}`,
            }),
          ]
        : []),
    ],
  });
}

/** 1, 2 and 5 times powers of ten within the values, on a logarithmic axis; powers alone where that were many. */
function roundNumbers(values: readonly number[]): number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const powers = Array.from({ length: 24 }, (_, n) => n - 9);
  const within = (factors: readonly number[]): number[] =>
    powers
      .flatMap((power) => factors.map((factor) => Number((factor * 10 ** power).toPrecision(1))))
      .filter((tick) => tick >= least * 0.999 && tick <= most * 1.001);
  const fine = within([1, 2, 5]);
  return fine.length > 9 ? within([1]) : fine;
}

/** Lines are told apart by colour and by dashes. */
export function inColours(series: readonly Series[]): (Series & { colour: string; dash: string })[] {
  let others = 0;
  let owns = 0;
  const several = series.filter(({ whose }) => whose === 'own').length > 1;
  return series.map((one) => {
    if (one.whose === 'ceiling') return { ...one, colour: 'var(--ceiling)', dash: '2 3' };
    const n =
      one.whose === 'own' && !several
        ? 0
        : one.whose === 'own'
          ? owns++
          : 1 + others++ + Math.max(owns - 1, 0);
    return {
      ...one,
      colour: `var(--line-${n % LINES})`,
      dash: DASHES[Math.floor(n / 1) % DASHES.length] ?? '',
    };
  });
}

const LINES = 6;
const DASHES = ['none', '7 3', 'none', '3 3', '9 3 2 3', '5 2'];

const NINES = [0.5, 0.9, 0.99, 0.999, 0.9999];

function nines(share: number): number {
  return -Math.log10(1 - Math.min(share, 0.999_999));
}

function shareOf(place: number): number {
  return Number((1 - 10 ** -place).toFixed(6));
}

function placeOf({ x: { scale } }: Lines, x: number): number {
  return scale === 'percentile' ? nines(x) : x;
}

function heat({ cells, within, unit }: Heat, width: number): Drawn {
  const rows = [...new Set(cells.map(({ row }) => row))];
  const columns = [...new Set(cells.map(({ column }) => column))];
  const best = (cell: Heat['cells'][number]): number =>
    Math.max(
      ...cells
        .filter((other) => within === 'all' || other[within] === cell[within])
        .map(({ value }) => value),
    );
  const drawn = cells.map((cell) => ({ ...cell, share: cell.value / (best(cell) || 1) }));
  const labelWidth = textWidth(rows, 40, width * 0.3);
  return plot({
    width,
    height: 40 + rows.length * 44,
    marginLeft: labelWidth + 14,
    marginRight: 8,
    marginTop: 30,
    marginBottom: 8,
    x: { domain: columns, label: null, axis: 'top', tickSize: 0, padding: 0.04 },
    y: { domain: rows, label: null, tickSize: 0, padding: 0.06 },
    marks: [
      Plot.cell(drawn, {
        x: 'column',
        y: 'row',
        fill: 'var(--own)',
        fillOpacity: ({ share }: (typeof drawn)[number]) => 0.1 + 0.8 * share,
        rx: 4,
        title: ({ row, column, value }: (typeof drawn)[number]) =>
          `${row}, ${column}: ${formatNumber(value)} ${unit}`,
      }),
      Plot.text(drawn, {
        x: 'column',
        y: 'row',
        text: ({ value }: (typeof drawn)[number]) => formatNumber(value),
        fill: ({ share }: (typeof drawn)[number]) => (share > 0.55 ? 'var(--on-own)' : 'currentColor'),
        fontWeight: 600,
      }),
    ],
  });
}

function plot(options: Plot.PlotOptions): Drawn {
  const made = Plot.plot({
    document: document as never,
    style: {
      fontSize: `${FONT_PX}px`,
      background: 'none',
      fontFamily: 'inherit',
      overflow: 'visible',
    },
    opacity: { type: 'identity' },
    color: { type: 'identity' },
    ...options,
  });
  return made as unknown as Drawn;
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

/** `150k`, `2M`: ticks are short. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}
