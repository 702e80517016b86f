import { Beside, Marks, type Pair, textPair, ValuesPanel } from '../beside.tsx';
import type { Run, Step } from '../data.ts';
import { useLoad } from '../live.ts';
import { paceOf, type StepPair, stateOf, stepPairs, tookMs } from '../pairs.ts';
import { type Column, Empty, Panel, Screen, Shown, State, Table, Time } from '../parts.tsx';
import { to } from '../route.ts';
import { count, plural, span } from '../words.ts';

/** Two runs beside each other: their inputs and results, and each step's state and time. */
export function RunsBeside({ ids }: { ids: readonly [string, string] }) {
  const first = useLoad<Run>(`runs/${encodeURIComponent(ids[0])}`);
  const second = useLoad<Run>(`runs/${encodeURIComponent(ids[1])}`);
  return (
    <Screen title="Two runs" tools={<a href={to(['compare', 'runs', ids[1], ids[0]])}>Change sides</a>}>
      <Shown of={first}>
        {(one) => <Shown of={second}>{(other) => <Compared first={one} second={other} />}</Shown>}
      </Shown>
    </Screen>
  );
}

interface Runs {
  readonly first: Run;
  readonly second: Run;
}

function Compared({ first, second }: Runs) {
  const now = Date.now();
  const pairs = stepPairs(first.steps, second.steps, now);
  return (
    <>
      {first.flow !== second.flow && (
        <p class="fault" role="note">
          These are runs of two flows. Steps of the same name are beside each other.
        </p>
      )}
      <Panel title="The runs">
        <Beside label="The runs" pairs={factsOf({ first, second }, now)} />
      </Panel>
      <Panel title="Steps">
        <Table
          label="Steps beside each other"
          columns={stepColumns(pairs, { first, second }, now)}
          rows={pairs}
          keyOf={({ name }) => name}
          toneOf={({ marks }) => (marks.length === 0 ? 'alike' : 'differs')}
        />
      </Panel>
      <div class="halves">
        <ValuesPanel title="Input" first={first.input} second={second.input} />
        <ValuesPanel title="Result" first={first.result} second={second.result} />
      </div>
      <StepValues pairs={pairs} />
    </>
  );
}

function factsOf({ first, second }: Runs, now: number): readonly Pair[] {
  const [tookFirst, tookSecond] = [tookMs(first, now), tookMs(second, now)];
  const link = ({ id }: Run) => <a href={to(['runs', id])}>{id}</a>;
  return [
    { name: 'Id', first: link(first), second: link(second), mark: null },
    {
      name: 'State',
      first: <State is={first.state} />,
      second: <State is={second.state} />,
      mark: first.state === second.state ? null : 'differs',
    },
    textPair('Flow', first.flow, second.flow),
    textPair('Version', first.version, second.version),
    {
      name: 'Started',
      first: <Time at={first.startedAt} />,
      second: <Time at={second.startedAt} />,
      mark: null,
    },
    {
      name: 'Took',
      first: took(first, tookFirst),
      second: took(second, tookSecond),
      mark: paceOf(tookFirst, tookSecond),
    },
    textPair('Why it did not complete', first.reason, second.reason),
  ];
}

function took({ endedAt }: { readonly endedAt: number | null }, ms: number | null): string {
  if (ms === null) return '–';
  return endedAt === null ? `${span(ms)} so far` : span(ms);
}

function stepColumns(pairs: readonly StepPair[], runs: Runs, now: number): readonly Column<StepPair>[] {
  const longest = Math.max(
    1,
    ...pairs
      .flatMap(({ first, second }) => [first, second])
      .map((step) => (step === null ? 0 : (tookMs(step, now) ?? 0))),
  );
  const side = (
    name: 'First' | 'Second',
    run: Run,
    of: (pair: StepPair) => Step | null,
  ): Column<StepPair> => ({
    name,
    show: (pair) => <StepSide run={run} step={of(pair)} longest={longest} now={now} />,
  });
  return [
    { name: 'Step', wide: true, show: ({ name }) => name },
    side('First', runs.first, ({ first }) => first),
    side('Second', runs.second, ({ second }) => second),
    { name: 'Unlike', wide: true, show: ({ marks }) => <Marks of={marks} /> },
  ];
}

interface SideGiven {
  readonly run: Run;
  readonly step: Step | null;
  /** Of all steps, ms: what the bars are drawn against. */
  readonly longest: number;
  readonly now: number;
}

function StepSide({ run, step, longest, now }: SideGiven) {
  if (step === null) return <span class="faint">not there</span>;
  const ms = tookMs(step, now);
  const { items, job } = step;
  return (
    <>
      <a href={to(['runs', run.id], { step: step.name })} aria-label={`Step ${step.name} of ${run.id}`}>
        <State is={stateOf(step)} />
      </a>{' '}
      {took(step, ms)}
      {job !== null && job.attempt > 1 && <span class="faint"> attempt {job.attempt}</span>}
      {items !== null && (
        <span class="faint">
          {' '}
          {count(items.completed)} of {plural(items.of, 'item')}
          {items.failed > 0 && `, ${count(items.failed)} failed`}
        </span>
      )}
      {ms !== null && (
        <span
          class={`length state-${stateOf(step)}`}
          style={{ width: `${(ms / longest) * 100}%` }}
          aria-hidden="true"
        />
      )}
    </>
  );
}

/** Steps with unlike results or errors: these are drawn at most. */
const STEPS_MAX = 20;

function StepValues({ pairs }: { pairs: readonly StepPair[] }) {
  const unlike = pairs.filter(({ marks }) => marks.includes('result') || marks.includes('error'));
  return (
    <>
      {unlike.slice(0, STEPS_MAX).map(({ name, first, second }) => (
        <ValuesPanel key={name} title={`Step ${name}`} first={valuesOf(first)} second={valuesOf(second)} />
      ))}
      {unlike.length > STEPS_MAX && (
        <Empty>And {plural(unlike.length - STEPS_MAX, 'more step')} with unlike results or errors.</Empty>
      )}
    </>
  );
}

function valuesOf(step: Step | null): unknown {
  if (step === null) return {};
  const { result, error } = step;
  return { ...(error === null ? {} : { error }), ...(result === null ? {} : { result }) };
}
