import { Beside, type Pair, textPair, ValuesPanel } from '../beside.tsx';
import type { Job } from '../data.ts';
import { useLoad } from '../live.ts';
import { attemptsOf, paceOf } from '../pairs.ts';
import { Panel, Screen, Shown, State, Time } from '../parts.tsx';
import { to } from '../route.ts';
import { span } from '../words.ts';
import { EndsBeside, LogsBeside } from './compare-attempts.tsx';

/** Two jobs beside each other: what they were given, what became of them, and how long that took. */
export function JobsBeside({ ids }: { ids: readonly [string, string] }) {
  const first = useLoad<Job>(`jobs/${encodeURIComponent(ids[0])}`);
  const second = useLoad<Job>(`jobs/${encodeURIComponent(ids[1])}`);
  return (
    <Screen title="Two jobs" tools={<a href={to(['compare', 'jobs', ids[1], ids[0]])}>Change sides</a>}>
      <Shown of={first}>
        {(one) => <Shown of={second}>{(other) => <Compared first={one} second={other} />}</Shown>}
      </Shown>
    </Screen>
  );
}

interface Jobs {
  readonly first: Job;
  readonly second: Job;
}

function Compared({ first, second }: Jobs) {
  const [one, other] = [attemptsOf(first).at(-1) ?? null, attemptsOf(second).at(-1) ?? null];
  return (
    <>
      <Panel title="The jobs">
        <Beside label="The jobs" pairs={factsOf({ first, second })} />
      </Panel>
      <div class="halves">
        <ValuesPanel title="Input" first={first.input} second={second.input} />
        <ValuesPanel title="Result" first={first.result} second={second.result} />
      </div>
      {one !== null && other !== null && (
        <>
          <EndsBeside title="Their last attempts" first={one} second={other} />
          <LogsBeside first={one} second={other} />
        </>
      )}
    </>
  );
}

function factsOf({ first, second }: Jobs): readonly Pair[] {
  const link = ({ id }: Job) => <a href={to(['jobs', id])}>{id}</a>;
  const text = (name: string, of: (job: Job) => string | null): Pair => textPair(name, of(first), of(second));
  const time = (name: string, of: (job: Job) => number | null): Pair => {
    const [one, other] = [of(first), of(second)];
    const shown = (ms: number | null): string => (ms === null ? '–' : span(ms));
    return { name, first: shown(one), second: shown(other), mark: paceOf(one, other) };
  };
  return [
    { name: 'Id', first: link(first), second: link(second), mark: null },
    {
      name: 'State',
      first: <State is={first.state} />,
      second: <State is={second.state} />,
      mark: first.state === second.state ? null : 'differs',
    },
    text('Task', ({ task }) => task),
    text('Queue', ({ queue }) => queue),
    text('Key', ({ key }) => key),
    text('Priority', ({ priority }) => String(priority)),
    text('Attempt', ({ attempt, attemptsMax }) => `${attempt} of ${attemptsMax}`),
    text('Crashes', ({ crashes }) => String(crashes)),
    {
      name: 'Created',
      first: <Time at={first.createdAt} />,
      second: <Time at={second.createdAt} />,
      mark: null,
    },
    time('Waited', waitedMs),
    time('Ran', ranMs),
    text('Correlation id', ({ meta }) => meta?.correlationId ?? null),
    text('Tags', ({ meta }) => meta?.tags.join(', ') || null),
  ];
}

/** From when it was due until the last attempt started. */
function waitedMs({ createdAt, dueAt, startedAt }: Job): number | null {
  return startedAt === null ? null : Math.max(0, startedAt - Math.max(createdAt, dueAt));
}

/** The last attempt. */
function ranMs({ startedAt, finishedAt }: Job): number | null {
  return startedAt === null || finishedAt === null ? null : finishedAt - startedAt;
}
