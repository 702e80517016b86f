import { Chart } from '../chart.tsx';
import type { Group, Overview, Point } from '../data.ts';
import { type Loaded, useLoad, useOverview } from '../live.ts';
import { type Column, Empty, Panel, Screen, Shown, State, Table, Time } from '../parts.tsx';
import { to } from '../route.ts';
import { count, rate, span } from '../words.ts';

/** What is wrong, at a glance: rates, waits, backlog and failures, in all and by queue. */
interface Analytics {
  readonly lookedAt: number;
  readonly waitMs: Spread | null;
  readonly runMs: Spread | null;
  readonly errors: readonly Group[];
}

interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export function OverviewScreen() {
  const live = useOverview();
  const first = useLoad<Overview>('overview');
  const history = useLoad<{ points: readonly Point[] }>('history');
  const analytics = useLoad<Analytics>('analytics');
  return (
    <Screen title="Overview">
      <Shown of={{ ...first, data: live ?? first.data }}>
        {(overview) => <Numbers of={overview} analytics={analytics} />}
      </Shown>
      <Shown of={history}>{({ points }) => <Hour points={points} />}</Shown>
      <Panel title="Queues">
        <Shown of={{ ...first, data: live ?? first.data }}>{(overview) => <Queues of={overview} />}</Shown>
      </Panel>
      <Panel title="Newest failures by error">
        <Shown of={analytics}>{({ errors }) => <Errors of={errors} />}</Shown>
      </Panel>
    </Screen>
  );
}

function Numbers({
  of: { counts, rates, workers, paused },
  analytics,
}: {
  of: Overview;
  analytics: Loaded<Analytics>;
}) {
  const waits = analytics.data?.waitMs ?? null;
  return (
    <>
      {paused && (
        <p class="fault" role="status">
          All queues are paused. <a href={to(['queues'])}>Queues</a>
        </p>
      )}
      <ul class="numbers">
        <Figure
          name="Completed a second"
          value={rate(rates.completedPerS)}
          note={`${rate(rates.enqueuedPerS)} enqueued`}
        />
        <Figure
          name="Wait, median"
          value={waits === null ? '–' : span(waits.p50)}
          note={waits === null ? 'no job has ended yet' : `95 % within ${span(waits.p95)}`}
        />
        <Figure
          name="Backlog"
          value={count(counts.ready)}
          note={`${count(counts.scheduled)} due later`}
          href={to(['jobs'], { state: 'ready' })}
        />
        <Figure
          name="Running"
          value={count(counts.running)}
          note={`of ${count(workers.slots)} slots`}
          href={to(['jobs'], { state: 'running' })}
        />
        <Figure
          name="Failed"
          value={count(counts.failed)}
          note={`${rate(rates.failedPerS)} a second`}
          href={to(['jobs'], { state: 'failed' })}
          tone={counts.failed > 0 ? 'bad' : undefined}
        />
        <Figure
          name="Workers"
          value={count(workers.alive)}
          note={workers.dead === 0 ? 'none fell silent' : `${workers.dead} fell silent`}
          href={to(['workers'])}
          tone={workers.alive === 0 && counts.ready > 0 ? 'bad' : undefined}
        />
      </ul>
    </>
  );
}

interface FigureGiven {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly href?: string;
  readonly tone?: string | undefined;
}

function Figure({ name, value, note, href, tone }: FigureGiven) {
  return (
    <li class={tone}>
      <span class="name">{href === undefined ? name : <a href={href}>{name}</a>}</span>
      <strong>{value}</strong>
      <span class="faint">{note}</span>
    </li>
  );
}

function Hour({ points }: { points: readonly Point[] }) {
  const times = points.map(({ at }) => at);
  return (
    <div class="charts">
      <Chart
        title="Jobs a second, last hour"
        times={times}
        lines={[
          { name: 'completed', tone: 'good', values: points.map(({ rates }) => rates.completedPerS) },
          { name: 'enqueued', tone: 'accent', values: points.map(({ rates }) => rates.enqueuedPerS) },
          { name: 'failed', tone: 'bad', values: points.map(({ rates }) => rates.failedPerS) },
        ]}
      />
      <Chart
        title="Jobs that wait or run, last hour"
        times={times}
        lines={[
          { name: 'ready', tone: 'wait', values: points.map(({ counts }) => counts.ready) },
          { name: 'running', tone: 'accent', values: points.map(({ counts }) => counts.running) },
        ]}
      />
    </div>
  );
}

type QueueRow = Overview['queues'][number];

const QUEUES: readonly Column<QueueRow>[] = [
  { name: 'Queue', show: ({ name }) => <a href={to(['jobs'], { queue: name })}>{name}</a> },
  { name: 'State', show: ({ paused }) => <State is={paused ? 'paused' : 'open'} /> },
  { name: 'Ready', number: true, show: ({ counts }) => count(counts.ready) },
  { name: 'Due later', number: true, show: ({ counts }) => count(counts.scheduled) },
  { name: 'Running', number: true, show: ({ counts }) => count(counts.running) },
  { name: 'Failed', number: true, show: ({ counts }) => count(counts.failed) },
  { name: 'Completed', number: true, show: ({ counts }) => count(counts.completed) },
  { name: 'A second', number: true, show: ({ rates }) => rate(rates.completedPerS) },
];

function Queues({ of }: { of: Overview }) {
  if (of.queues.length === 0)
    return <Empty>No queue has jobs yet. They appear with the first job that is enqueued.</Empty>;
  return <Table label="Queues" columns={QUEUES} rows={of.queues} keyOf={({ name }) => name} />;
}

const ERRORS: readonly Column<Group>[] = [
  { name: 'Error', wide: true, show: ({ pattern }) => <span class="clip">{pattern}</span> },
  { name: 'Task', show: ({ task }) => task },
  { name: 'Jobs', number: true, show: ({ jobs }) => count(jobs) },
  { name: 'Last', show: ({ lastAt }) => <Time at={lastAt} /> },
  {
    name: 'Newest',
    show: ({ examples: [id] }) => (id === undefined ? '–' : <a href={to(['jobs', id])}>look at it</a>),
  },
];

function Errors({ of }: { of: readonly Group[] }) {
  if (of.length === 0) return <Empty>No failed jobs are kept.</Empty>;
  return (
    <Table label="Failures by error" columns={ERRORS} rows={of} keyOf={({ fingerprint }) => fingerprint} />
  );
}
