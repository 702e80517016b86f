import { formatNumber } from '../../../bench/src/report/chart.ts';
import { type ComparedFigure, type Comparison, compareResults } from '../../../bench/src/report/compare.ts';
import { NotComparable } from '../../../bench/src/report/differences.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Screen, Shown, Table } from '../parts.tsx';
import { to } from '../route.ts';
import { type ReportAnswer, readable } from './report.tsx';

/** Two results of one command: the ratio of each figure with its interval, and what that says. */
export function ComparisonScreen({ before, after }: { before: string; after: string }) {
  const [old, fresh] = [before, after].map((name) =>
    useLoad<ReportAnswer>(`reports/${encodeURIComponent(name)}`, 'once'),
  ) as [ReturnType<typeof useLoad<ReportAnswer>>, ReturnType<typeof useLoad<ReportAnswer>>];
  return (
    <Screen title="Comparison" tools={<a href={to(['reports'])}>All reports</a>}>
      <p>
        <a href={to(['reports', before])}>{before}</a>, then <a href={to(['reports', after])}>{after}</a>
      </p>
      <Shown of={old}>
        {(first) => <Shown of={fresh}>{(second) => <Compared first={first} second={second} />}</Shown>}
      </Shown>
    </Screen>
  );
}

function Compared({ first, second }: { first: ReportAnswer; second: ReportAnswer }) {
  const [before, after] = [readable(first), readable(second)];
  if (typeof before === 'string') return <Empty>{before}</Empty>;
  if (typeof after === 'string') return <Empty>{after}</Empty>;
  const refused = comparison(() => compareResults(before, after));
  // Unlike machines or settings are shown with a warning: a person sees it, unlike a check in CI.
  const made = typeof refused === 'string' ? comparison(() => compareResults(before, after, ANY)) : refused;
  if (typeof made === 'string') return <Empty>{made}</Empty>;
  return (
    <>
      {typeof refused === 'string' && (
        <p class="fault" role="note">
          {refused.replace(/\. Measure both.*$/, '')}. What follows compares what is unlike.
        </p>
      )}
      <p class="faint">
        Ratio: after over before. An interval that leaves out 1 is a difference; one that holds it and is wide
        says to measure more.
      </p>
      <Table label="Figures" columns={COLUMNS} rows={made.figures} keyOf={({ name }) => name} />
    </>
  );
}

const ANY = { anyMachine: true, anySettings: true };

function comparison(make: () => Comparison): Comparison | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof NotComparable) return error.message;
    throw error;
  }
}

const TONES: Readonly<Record<ComparedFigure['verdict'], string>> = {
  better: 'state-completed',
  worse: 'state-failed',
  same: 'state-running',
  unclear: 'state-cancelled',
  'one run': 'state-cancelled',
};

const COLUMNS: readonly Column<ComparedFigure>[] = [
  { name: 'Figure', wide: true, show: ({ name }) => name },
  { name: 'Unit', show: ({ unit }) => unit || '–' },
  { name: 'Before', number: true, show: ({ before }) => formatNumber(before) },
  { name: 'After', number: true, show: ({ after }) => formatNumber(after) },
  { name: 'Ratio', number: true, show: ({ ratio }) => ratio.toFixed(3) },
  {
    name: 'Interval',
    number: true,
    show: ({ low, high }) => (low === null || high === null ? '–' : `${low.toFixed(3)}–${high.toFixed(3)}`),
  },
  { name: 'Verdict', show: ({ verdict }) => <span class={`state ${TONES[verdict]}`}>{verdict}</span> },
];
