import { clock, count } from './words.ts';

/** Lines over time as SVG: a few hundred points, named for screen readers by their last values. */
export interface Line {
  readonly name: string;
  /** A class of page.css that gives the colour. */
  readonly tone: 'accent' | 'good' | 'bad' | 'wait';
  readonly values: readonly number[];
}

const WIDTH = 600;
const HEIGHT = 120;

export function Chart({
  title,
  times,
  lines,
}: {
  title: string;
  times: readonly number[];
  lines: readonly Line[];
}) {
  const most = Math.max(1, ...lines.flatMap(({ values }) => values));
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 0];
  const x = (at: number): number => (to === from ? WIDTH : ((at - from) / (to - from)) * WIDTH);
  const y = (value: number): number => HEIGHT - (value / most) * HEIGHT;
  const last = lines.map(({ name, values }) => `${name} ${round(values.at(-1) ?? 0)}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <span class="legend">
          {lines.map(({ name, tone, values }) => (
            <span key={name} class={`tone-${tone}`}>
              {name} <b>{round(values.at(-1) ?? 0)}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <svg
        viewBox={`0 -4 ${WIDTH} ${HEIGHT + 8}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${last}`}
      >
        <line class="grid" x1="0" x2={WIDTH} y1="0" y2="0" />
        <line class="grid" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        {lines.map(({ name, tone, values }) => (
          <polyline
            key={name}
            class={`line tone-${tone}`}
            points={values.map((value, index) => `${x(times[index] ?? to)},${y(value)}`).join(' ')}
          />
        ))}
      </svg>
      <div class="axis" aria-hidden="true">
        <span>{times.length < 2 ? 'collecting: a point every 10 s' : clock(from)}</span>
        <span>most {round(most)}</span>
        <span>{times.length < 2 ? '' : clock(to)}</span>
      </div>
    </figure>
  );
}

function round(value: number): string {
  return count(value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);
}
