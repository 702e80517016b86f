import type { Job, JobItem, Reason } from '../data.ts';
import { useLoad } from '../live.ts';
import { attemptsOf } from '../pairs.ts';
import { Empty, Facts, Panel, Screen, Shown, State, Time } from '../parts.tsx';
import { type Route, to } from '../route.ts';
import { Tree } from '../tree.tsx';
import { clock, count, exact, plural, span } from '../words.ts';
import { JobActions } from './job-actions.tsx';
import { JobTimeline } from './job-timeline.tsx';

/** One job: what it is, what happened to it, and why it does not run. */
export function JobScreen({ route: { parts } }: { route: Route }) {
  const id = parts[1] as string;
  const job = useLoad<Job>(`jobs/${encodeURIComponent(id)}`);
  const tools =
    job.data === null ? null : (
      <>
        <a href={to(['compare', 'jobs', id])}>Compare…</a>
        <JobActions job={job.data} reload={job.reload} />
      </>
    );
  return (
    <Screen title={job.data === null ? `Job ${id}` : `Job of ${job.data.task}`} tools={tools}>
      <Shown of={job}>{(found) => <Found job={found} />}</Shown>
    </Screen>
  );
}

function Found({ job }: { job: Job }) {
  const isWaiting = job.state === 'ready' || job.state === 'scheduled';
  return (
    <>
      <Facts
        of={[
          [
            'State',
            <State
              key="state"
              is={job.cancelRequested && job.state === 'running' ? 'stopping' : job.state}
            />,
          ],
          ['Id', <code key="id">{job.id}</code>],
          [
            'Queue',
            <a key="queue" href={to(['jobs'], { queue: job.queue })}>
              {job.queue}
            </a>,
          ],
          [
            'Task',
            <a key="task" href={to(['jobs'], { task: job.task })}>
              {job.task}
            </a>,
          ],
          ['Attempt', `${job.attempt} of ${job.attemptsMax}`],
          ['Priority', String(job.priority)],
          ...(job.crashes > 0 ? ([['Crashes', count(job.crashes)]] as const) : []),
          ...(job.key === null
            ? []
            : ([
                [
                  'Key',
                  <a key="key" href={to(['jobs'], { queue: job.queue, key: job.key })}>
                    {job.key}
                  </a>,
                ],
              ] as const)),
          ...(job.uniqueKey === null ? [] : ([['Unique by', job.uniqueKey]] as const)),
          ...(job.workerId === null ? [] : ([['Worker', job.workerId]] as const)),
          ...(job.meta === null || job.meta.tags.length === 0
            ? []
            : ([['Tags', job.meta.tags.join(', ')]] as const)),
        ]}
      />
      {isWaiting && <WhyNot id={job.id} />}
      <Panel title="What happened">
        <JobTimeline job={job} />
        <p>
          <a href={to(['traces', job.id])}>Where the time went</a>
        </p>
      </Panel>
      {job.progress !== null && (
        <Panel title="Progress">
          <Progress of={job.progress} />
        </Panel>
      )}
      {job.errors.length > 0 && (
        <Panel title="Failed attempts">
          <Attempts job={job} />
        </Panel>
      )}
      <div class="halves">
        <Panel title="Input">
          <Tree value={job.input} label="Input" />
        </Panel>
        <Panel title="Result">
          {job.state === 'completed' ? (
            <Tree value={job.result} label="Result" />
          ) : (
            <Empty>It has not completed.</Empty>
          )}
        </Panel>
      </div>
      {job.steps.length > 0 && (
        <Panel title="Durable steps">
          <DurableSteps of={job.steps} />
        </Panel>
      )}
      <Panel title="Log">
        <Log job={job} />
      </Panel>
      {job.meta?.correlationId != null && <Correlated id={job.id} correlationId={job.meta.correlationId} />}
      {job.audit.length > 0 && (
        <Panel title="Done by hand">
          <ol class="lines">
            {job.audit.map(({ at, by, action, why, from, to: after }) => (
              <li key={`${at}${action}`}>
                <Time at={at} /> {by}: {action} ({from}
                {after === null ? '' : ` → ${after}`}){why === null ? '' : `: ${why}`}
              </li>
            ))}
          </ol>
        </Panel>
      )}
    </>
  );
}

export function WhyNot({ id }: { id: string }) {
  const why = useLoad<{ reasons: readonly Reason[] }>(`jobs/${encodeURIComponent(id)}/why`);
  return (
    <Panel title="Why does it not run?">
      <Shown of={why}>{({ reasons }) => <Reasons of={reasons} />}</Shown>
    </Panel>
  );
}

export function Reasons({ of }: { of: readonly Reason[] }) {
  return (
    <ul class="reasons">
      {of.map(({ code, text, until }) => (
        <li key={code}>
          {text} {until !== null && <span class="faint">Until {exact(until)}.</span>}
        </li>
      ))}
    </ul>
  );
}

function Progress({ of }: { of: unknown }) {
  const share = shareOf(of);
  return (
    <>
      {share !== null && (
        <progress value={share} max={1} aria-label="Progress">
          {Math.round(share * 100)} %
        </progress>
      )}
      <Tree value={of} label="Progress" />
    </>
  );
}

/** A number up to 1, a percentage, or done of total. */
function shareOf(progress: unknown): number | null {
  if (typeof progress === 'number')
    return progress >= 0 && progress <= 1 ? progress : progress <= 100 ? progress / 100 : null;
  if (typeof progress !== 'object' || progress === null) return null;
  const { done, total } = progress as { done?: unknown; total?: unknown };
  return typeof done === 'number' && typeof total === 'number' && total > 0 ? done / total : null;
}

function Attempts({ job }: { job: Job }) {
  const { errors, errorsOmitted } = job;
  return (
    <>
      {attemptsOf(job).length > 1 && (
        <p>
          <a href={to(['compare', 'attempts', job.id, '1'])}>Compare two attempts</a>
        </p>
      )}
      {errorsOmitted > 0 && <p class="faint">{plural(errorsOmitted, 'attempt')} in the middle left out.</p>}
      <ol class="attempts">
        {errors.map(({ attempt, at, name, message, stack, code }, index) => (
          <li key={`${attempt}-${at}`}>
            <p>
              <b>Attempt {attempt}</b> <Time at={at} />{' '}
              <span class="error">
                {name}: {message}
              </span>{' '}
              {code !== null && <code>{code}</code>}
            </p>
            {stack !== null && (
              <details open={index === errors.length - 1}>
                <summary>Stack</summary>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys as well. */}
                <pre tabIndex={0}>{stack}</pre>
              </details>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

function DurableSteps({ of }: { of: Job['steps'] }) {
  return (
    <ol class="lines">
      {of.map(({ name, kind, state, at, until, result }) => (
        <li key={`${kind}${name}`}>
          <State is={state} /> {kind} <b>{name}</b> {at !== null && <Time at={at} />}
          {state === 'waiting' && until !== null && <span class="faint"> until {exact(until)}</span>}
          {result !== null && <Tree value={result} label={`Result of ${name}`} />}
        </li>
      ))}
    </ol>
  );
}

function Log({ job: { logs, logsOmitted } }: { job: Job }) {
  if (logs.length === 0) return <Empty>Its handler logged nothing.</Empty>;
  return (
    <>
      {logsOmitted > 0 && <p class="faint">{plural(logsOmitted, 'earlier line')} left out.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys as well. */}
      <ol class="log" tabIndex={0} aria-label="Log lines">
        {logs.map(({ at, attempt, message, data }, index) => (
          <li key={`${at}-${index}`}>
            <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>{' '}
            <span class="faint">#{attempt}</span> {message}
            {data !== null && <Tree value={data} label={`Data of ${message}`} />}
          </li>
        ))}
      </ol>
    </>
  );
}

function Correlated({ id, correlationId }: { id: string; correlationId: string }) {
  const page = useLoad<{ jobs: readonly JobItem[] }>(
    `jobs?correlationId=${encodeURIComponent(correlationId)}&limit=20`,
    'once',
  );
  return (
    <Panel title="Correlated jobs">
      <p>
        <a href={to(['jobs'], { correlationId })}>{correlationId}</a>
      </p>
      <Shown of={page}>
        {({ jobs }) => (
          <ul class="lines">
            {jobs
              .filter((job) => job.id !== id)
              .map((job) => (
                <li key={job.id}>
                  <State is={job.state} /> <a href={to(['jobs', job.id])}>{job.task}</a>{' '}
                  {job.startedAt !== null && job.finishedAt !== null && span(job.finishedAt - job.startedAt)}
                </li>
              ))}
          </ul>
        )}
      </Shown>
    </Panel>
  );
}
