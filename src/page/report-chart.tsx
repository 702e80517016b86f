import {
  type Bars,
  type Chart,
  formatNumber,
  formatPercentile,
  type Heat,
  type Lines,
  type Point,
  type Rows,
  tableOf,
} from '../../bench/src/report/chart.ts';

/**
 * Charts of reports. Bars and heat maps are tables whose cells hold a bar or a colour, so that they read as such on a phone and
 * by a screen reader; lines are SVG with their figures as a table below.
 */
export function ReportChart({ chart }: { chart: Chart }) {
  const hint = [
    chart.unit,
    ...(chart.better === undefined ? [] : [`${chart.better} is better`]),
    ...(chart.note === undefined ? [] : [chart.note]),
  ].filter((part) => part !== '');
  return (
    <figure class="report-chart">
      <figcaption>
        <h3>{chart.title}</h3>
        {hint.length > 0 && <p class="faint">{hint.join(', ')}</p>}
      </figcaption>
      <Drawn chart={chart} />
    </figure>
  );
}

function Drawn({ chart }: { chart: Chart }) {
  if (chart.kind === 'bars') return <BarRows chart={chart} />;
  if (chart.kind === 'lines') return <LinesDrawn chart={chart} />;
  return chart.kind === 'heat' ? <HeatCells chart={chart} /> : <Told chart={chart} />;
}

/** Units of a bar's drawing, whose width follows the table. */
const BAR = 1_000;

function BarRows({ chart: { rows, title, mark } }: { chart: Bars }) {
  const most = Math.max(...rows.map(({ value, high }) => Math.max(value, high ?? value)), mark ?? 0) || 1;
  // Less than nothing, as where memory was given back, is no bar.
  const x = (value: number): number => (Math.max(value, 0) / most) * BAR;
  return (
    <table class="bars" aria-label={title}>
      <tbody>
        {rows.map((row, n) => [
          row.group !== '' && row.group !== rows[n - 1]?.group && (
            <tr key={`group ${row.group}`}>
              <th colSpan={3} scope="rowgroup">
                {row.group}
              </th>
            </tr>
          ),
          <tr key={`${row.group} ${row.label}`}>
            <th scope="row">{row.label}</th>
            <td class="bar">
              <svg viewBox={`0 0 ${BAR} 20`} preserveAspectRatio="none" aria-hidden="true">
                <rect class={`whose-${row.whose}`} x="0" y="3" width={x(row.value)} height="14" />
                {row.low !== null && row.high !== null && (
                  <line class="range" x1={x(row.low)} x2={x(row.high)} y1="10" y2="10" />
                )}
                {mark !== undefined && <line class="mark" x1={x(mark)} x2={x(mark)} y1="0" y2="20" />}
              </svg>
            </td>
            <td class="number">
              {formatNumber(row.value)}
              {row.low !== null && row.high !== null && row.low !== row.high && (
                <span class="faint">
                  {' '}
                  {formatNumber(row.low)}–{formatNumber(row.high)}
                </span>
              )}
            </td>
          </tr>,
        ])}
      </tbody>
    </table>
  );
}

function HeatCells({ chart }: { chart: Heat }) {
  const { cells, title, within } = chart;
  const [head = [], ...rows] = tableOf(chart);
  const levelOf = (row: string, column: string): number => {
    const cell = cells.find((one) => one.row === row && one.column === column);
    if (cell === undefined) return 0;
    const rivals = cells.filter((one) => within === 'all' || one[within] === cell[within]);
    return Math.round((cell.value / (Math.max(...rivals.map(({ value }) => value)) || 1)) * 5);
  };
  return (
    <table class="heat" aria-label={title}>
      <thead>
        <tr>
          {head.map((cell) => (
            <th key={cell} scope="col">
              {cell}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([row = '', ...values]) => (
          <tr key={row}>
            <th scope="row">{row}</th>
            {values.map((value, n) => (
              <td key={head[n + 1]} class={`level-${levelOf(row, head[n + 1] ?? '')}`}>
                {value}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Told({ chart }: { chart: Rows }) {
  const [head = [], ...rows] = chart.rows;
  return (
    <div class="table">
      <table aria-label={chart.title}>
        <thead>
          <tr>
            {head.map((cell) => (
              <th key={cell} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.join(' ')}>
              {row.map((cell, n) => (
                <td key={head[n]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const WIDTH = 600;
const HEIGHT = 200;

function LinesDrawn({ chart }: { chart: Lines }) {
  const { series, title } = chart;
  const points = series.flatMap((one) => one.points);
  const place = placesOf(chart, points);
  const [head = [], ...rows] = tableOf(chart);
  const format = (x: number): string =>
    chart.x.scale === 'percentile' ? formatPercentile(x) : formatNumber(x);
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  return (
    <>
      <ul class="legend">
        {series.map(({ name }, n) => (
          <li key={name} class={`line-${n % LINES}`}>
            {name}
          </li>
        ))}
      </ul>
      <div class="plot">
        <span class="most">{formatNumber(Math.max(...ys))}</span>
        <svg viewBox={`0 -4 ${WIDTH} ${HEIGHT + 8}`} preserveAspectRatio="none" role="img" aria-label={title}>
          <line class="grid" x1="0" x2={WIDTH} y1="0" y2="0" />
          <line class="grid" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
          {series.map(({ name, points: own }, n) => (
            <polyline
              key={name}
              class={`line line-${n % LINES}`}
              points={own.map((point) => `${place.x(point.x)},${place.y(point.y)}`).join(' ')}
            />
          ))}
        </svg>
        <span class="least">{formatNumber(chart.yScale === 'log' ? Math.min(...ys) : 0)}</span>
        <div class="axis" aria-hidden="true">
          <span>{format(Math.min(...xs))}</span>
          <span>{chart.x.title}</span>
          <span>{format(Math.max(...xs))}</span>
        </div>
      </div>
      <details>
        <summary>Figures</summary>
        <table aria-label={`Figures of ${title}`}>
          <thead>
            <tr>
              {head.map((cell) => (
                <th key={cell} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([first = '', ...cells]) => (
              <tr key={first}>
                <th scope="row">{first}</th>
                {cells.map((cell, n) => (
                  <td key={head[n + 1]} class="number">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

const LINES = 6;

/** From values to the drawing; percentiles by their nines, so that the tail has room. */
function placesOf(
  { x, yScale }: Lines,
  points: readonly Point[],
): { x(value: number): number; y(value: number): number } {
  const along = (value: number): number =>
    x.scale === 'percentile'
      ? -Math.log10(1 - Math.min(value, 0.999_999))
      : x.scale === 'log'
        ? Math.log10(value)
        : value;
  const up = (value: number): number => (yScale === 'log' ? Math.log10(Math.max(value, 1e-9)) : value);
  const between = (values: readonly number[], from: number | null): ((value: number) => number) => {
    const [least, most] = [from ?? Math.min(...values), Math.max(...values)];
    return (value) => (most === least ? 0.5 : (value - least) / (most - least));
  };
  const [across, over] = [
    between(
      points.map((point) => along(point.x)),
      null,
    ),
    between(
      points.map((point) => up(point.y)),
      yScale === 'log' ? null : 0,
    ),
  ];
  return { x: (value) => across(along(value)) * WIDTH, y: (value) => HEIGHT - over(up(value)) * HEIGHT };
}
