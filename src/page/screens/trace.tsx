import type { Trace } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Facts, Panel, Screen, Shown, State, Table, Time } from '../parts.tsx';
import { type Route, to } from '../route.ts';
import { count, exact, plural, span } from '../words.ts';

/** Where the time of a request, a run or a job went, from what the store keeps. */
type TracedJob = Trace['jobs'][number];
type PhaseName = TracedJob['phases'][number]['name'];

/** Drawn at most; the way to the end is among them. */
const ROWS_MAX = 200;

/** In the order in which a job goes through them. */
const PHASES: Readonly<Record<PhaseName, string>> = {
  enqueue: 'until it was stored',
  delay: 'not due, or between attempts',
  wait: 'waiting for a worker',
  claim: 'from the claim to the handler',
  run: 'in the handler',
  settle: 'until its end was stored',
  busy: 'claim, handler and settlement',
  end: 'from the last job to the end of the run',
};
const NAMES = Object.keys(PHASES) as PhaseName[];

export function TraceScreen({ route: { parts } }: { route: Route }) {
  const id = parts[1] as string;
  const trace = useLoad<Trace>(`traces/${encodeURIComponent(id)}`, { final: hasEnded });
  return (
    <Screen title={`Where the time went: ${id}`}>
      <Shown of={trace}>{(found) => <Found trace={found} />}</Shown>
    </Screen>
  );
}

/** What has ended may go on: a correlation id may get more jobs, a job may be retried. For them the page is loaded anew. */
function hasEnded({ endedAt }: Trace): boolean {
  return endedAt !== null;
}

function Found({ trace }: { trace: Trace }) {
  const { kind, correlationId, startedAt, endedAt, totalMs, jobs, runs, more, notStored } = trace;
  return (
    <>
      <Facts
        of={[
          ['Of', { job: 'a job', run: 'a run', correlation: 'a correlation id' }[kind]],
          ['Correlation id', <code key="correlation">{correlationId}</code>],
          ['Started', <Time key="started" at={startedAt} />],
          ['Took', endedAt === null ? `${span(totalMs)} so far` : span(totalMs)],
          ['Jobs', more ? `more than ${count(jobs.length)}` : count(jobs.length)],
          ...runs.map(
            ({ id, flow, state }) =>
              [
                `Run of ${flow}`,
                <a key={id} href={to(['runs', id])}>
                  {id} <State is={state} />
                </a>,
              ] as const,
          ),
        ]}
      />
      <Panel title="When each job ran">
        <Waterfall trace={trace} />
      </Panel>
      <Panel title="How it adds up">
        <Sum trace={trace} />
      </Panel>
      {notStored.length > 0 && (
        <Panel title="Not stored">
          <ul class="lines">
            {notStored.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

function Waterfall({ trace: { jobs, sum, startedAt, totalMs } }: { trace: Trace }) {
  const path = new Set(sum.path);
  const shown = jobs.length <= ROWS_MAX ? jobs : firstOf(jobs, path);
  const used = NAMES.filter((name) => jobs.some(({ phases }) => phases.some((phase) => phase.name === name)));
  const place = (at: number): string => `${((at - startedAt) / Math.max(1, totalMs)) * 100}%`;
  const width = (ms: number): string => `${(ms / Math.max(1, totalMs)) * 100}%`;
  return (
    <>
      <ul class="phases">
        {used.map((name) => (
          <li key={name}>
            <span class={`swatch phase-${name}`} aria-hidden="true" /> {name}: {PHASES[name]}
          </li>
        ))}
      </ul>
      <div class="when">
        {shown.map((job) => (
          <div key={job.id} class="row">
            <a class="label" href={to(['jobs', job.id])}>
              {path.has(job.id) ? <b>{nameOf(job)}</b> : nameOf(job)}
            </a>
            <span class="track">
              {job.phases.map(({ name, from, to: until }) => (
                <span
                  key={name}
                  class={`bar phase-${name}`}
                  style={{ left: place(from), width: width(until - from) }}
                  title={`${name}, ${span(until - from)}, from ${exact(from)}`}
                />
              ))}
            </span>
            <span class="number">{span(lengthOf(job))}</span>
          </div>
        ))}
      </div>
      {shown.length < jobs.length && <Empty>And {plural(jobs.length - shown.length, 'job')} more.</Empty>}
    </>
  );
}

function firstOf(jobs: readonly TracedJob[], path: ReadonlySet<string>): TracedJob[] {
  const others = jobs.filter(({ id }) => !path.has(id)).slice(0, Math.max(0, ROWS_MAX - path.size));
  const kept = new Set(others.map(({ id }) => id));
  return jobs.filter(({ id }) => path.has(id) || kept.has(id)).slice(0, ROWS_MAX);
}

function nameOf({ step, task, item, isUndo }: TracedJob): string {
  if (step === null) return task;
  return `${isUndo ? 'undo of ' : ''}${step}${item === null ? '' : ` ${item + 1}`}`;
}

function lengthOf({ phases }: TracedJob): number {
  return (phases.at(-1)?.to ?? 0) - (phases[0]?.from ?? 0);
}

interface Line {
  readonly name: string;
  readonly is: string;
  readonly ms: number;
}

/** Of the jobs that the end waited for, whose names are bold above. */
function Sum({ trace: { sum } }: { trace: Trace }) {
  const phases: Partial<Record<PhaseName, number>> = sum.phases;
  const lines: Line[] = [
    ...NAMES.flatMap((name) => {
      const ms = phases[name] ?? 0;
      return ms === 0 ? [] : [{ name, is: PHASES[name], ms }];
    }),
    ...(sum.otherMs === 0 ? [] : [{ name: 'other', is: 'in none of these', ms: sum.otherMs }]),
  ];
  const columns: Column<Line>[] = [
    { name: 'Phase', show: ({ name }) => name },
    { name: 'Time', wide: true, show: ({ is }) => is },
    { name: 'Took', number: true, show: ({ ms }) => span(ms) },
    {
      name: 'Share',
      number: true,
      show: ({ ms }) => `${sum.totalMs === 0 ? 0 : Math.round((ms / sum.totalMs) * 100)} %`,
    },
  ];
  return (
    <>
      <p class="faint">
        Along the {plural(sum.path.length, 'job')} that the end waited for, {span(sum.totalMs)} in all.
      </p>
      <Table label="How the time adds up" columns={columns} rows={lines} keyOf={({ name }) => name} />
    </>
  );
}
