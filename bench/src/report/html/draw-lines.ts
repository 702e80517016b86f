import * as Plot from '@observablehq/plot';
import { formatNumber, formatPercentile, type Lines, type Series } from '../chart.ts';
import { type Drawn, plot, shortNumber } from './plot.ts';

export function lines(chart: Lines, width: number): Drawn {
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
