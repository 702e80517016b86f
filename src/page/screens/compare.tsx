import type { JobItem, RunSummary } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Screen, Shown, State, Table, Time } from '../parts.tsx';
import { go, type Route, to } from '../route.ts';
import { span } from '../words.ts';
import { AttemptsBeside } from './compare-attempts.tsx';
import { JobsBeside } from './compare-jobs.tsx';
import { RunsBeside } from './compare-runs.tsx';

/**
 * Two runs, two jobs, or two attempts of a job beside each other: `compare/runs/A/B`, `compare/jobs/A/B`,
 * `compare/attempts/JOB/1/2`. With one id alone, the other one is chosen.
 */
export function CompareScreen({ route: { parts } }: { route: Route }) {
  const [, kind, first, second, third] = parts;
  if (kind === 'attempts' && first !== undefined)
    return (
      <AttemptsBeside id={first} places={[Number(second ?? 1), third === undefined ? null : Number(third)]} />
    );
  if ((kind === 'runs' || kind === 'jobs') && first !== undefined) {
    if (second === undefined) return kind === 'runs' ? <OtherRun id={first} /> : <OtherJob id={first} />;
    return kind === 'runs' ? <RunsBeside ids={[first, second]} /> : <JobsBeside ids={[first, second]} />;
  }
  return (
    <Screen title="Nothing to compare">
      <Empty>Open a run or a job, and choose Compare there.</Empty>
    </Screen>
  );
}

function OtherRun({ id }: { id: string }) {
  const run = useLoad<RunSummary>(`runs/${encodeURIComponent(id)}`, 'once');
  return (
    <Screen title="Compare two runs" tools={<a href={to(['runs', id])}>Back to the run</a>}>
      <Shown of={run}>
        {({ flow }) => <Others kind="runs" id={id} search={`runs?flow=${encodeURIComponent(flow)}`} />}
      </Shown>
    </Screen>
  );
}

function OtherJob({ id }: { id: string }) {
  const job = useLoad<JobItem>(`jobs/${encodeURIComponent(id)}`, 'once');
  return (
    <Screen title="Compare two jobs" tools={<a href={to(['jobs', id])}>Back to the job</a>}>
      <Shown of={job}>
        {({ task }) => <Others kind="jobs" id={id} search={`jobs?task=${encodeURIComponent(task)}`} />}
      </Shown>
    </Screen>
  );
}

/** The newest of the same flow or task, and a field for any other. */
const OFFERED = 20;

interface Offered {
  readonly id: string;
  readonly state: string;
  readonly startedAt: number | null;
  readonly tookMs: number | null;
}

interface OthersGiven {
  readonly kind: 'runs' | 'jobs';
  readonly id: string;
  readonly search: string;
}

function Others({ kind, id, search }: OthersGiven) {
  const page = useLoad<{ runs?: readonly RunSummary[]; jobs?: readonly JobItem[] }>(
    `${search}&limit=${OFFERED + 1}`,
    'once',
  );
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get('id');
    const other = String(given ?? '').trim();
    if (other !== '') go(to(['compare', kind, id, other]));
  };
  return (
    <>
      <p>
        <code>{id}</code> with:
      </p>
      <search>
        <form class="search" onSubmit={submit}>
          <label class="wide">
            Id of the other
            <input type="search" name="id" />
          </label>
          <div class="buttons">
            <button type="submit" class="main">
              Compare
            </button>
          </div>
        </form>
      </search>
      <Shown of={page}>
        {({ runs = [], jobs = [] }) => {
          const offered = [...runs.map(ofRun), ...jobs.map(ofJob)].filter((one) => one.id !== id);
          return offered.length === 0 ? (
            <Empty>There is no other of its kind.</Empty>
          ) : (
            <Table
              label="Others, the newest first"
              columns={columnsFor(kind, id)}
              rows={offered.slice(0, OFFERED)}
              keyOf={(one) => one.id}
            />
          );
        }}
      </Shown>
    </>
  );
}

function ofRun({ id, state, startedAt, endedAt }: RunSummary): Offered {
  return { id, state, startedAt, tookMs: endedAt === null ? null : endedAt - startedAt };
}

function ofJob({ id, state, startedAt, finishedAt, createdAt }: JobItem): Offered {
  const tookMs = startedAt === null || finishedAt === null ? null : finishedAt - startedAt;
  return { id, state, startedAt: startedAt ?? createdAt, tookMs };
}

function columnsFor(kind: OthersGiven['kind'], id: string): readonly Column<Offered>[] {
  return [
    { name: 'State', show: ({ state }) => <State is={state} /> },
    { name: 'Id', wide: true, show: (other) => <a href={to(['compare', kind, id, other.id])}>{other.id}</a> },
    { name: 'Began', show: ({ startedAt }) => <Time at={startedAt} /> },
    { name: 'Took', number: true, show: ({ tookMs }) => (tookMs === null ? '–' : span(tookMs)) },
  ];
}
