import { useEffect, useRef } from 'preact/hooks';
import type { JobItem } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Screen, Shown, State, Table, Time } from '../parts.tsx';
import { go, type Route, to } from '../route.ts';
import { span } from '../words.ts';

/** Search in jobs. What is searched for stands in the address. */
const STATES = ['scheduled', 'ready', 'running', 'completed', 'failed', 'cancelled'] as const;
const CRITERIA = ['queue', 'task', 'key', 'tag', 'correlationId'] as const;
const WORDS: Readonly<Record<(typeof CRITERIA)[number], string>> = {
  queue: 'Queue',
  task: 'Task',
  key: 'Key',
  tag: 'Tag',
  correlationId: 'Correlation id',
};
/** Many jobs are looked at to find some. */
const UNINDEXED = ['key', 'tag', 'correlationId'] as const;
const PAGE = 50;

export function JobsScreen({ route: { query } }: { route: Route }) {
  const criteria = new URLSearchParams(
    [...query].filter(
      ([name]) => name === 'state' || (CRITERIA as readonly string[]).includes(name) || name === 'cursor',
    ),
  );
  criteria.set('limit', String(PAGE));
  const isCostly = UNINDEXED.some((name) => query.has(name));
  const page = useLoad<{ jobs: readonly JobItem[]; cursor: string | null }>(
    `jobs?${criteria}`,
    isCostly ? 'once' : 'live',
  );
  return (
    <Screen title="Jobs">
      <Search query={query} />
      <Shown of={page}>
        {({ jobs, cursor }) => (
          <>
            {jobs.length === 0 ? (
              <Empty>
                {cursor === null
                  ? 'No job meets this search.'
                  : 'None among those looked at so far; there are older ones.'}
              </Empty>
            ) : (
              <Table label="Jobs, the newest first" columns={COLUMNS} rows={jobs} keyOf={({ id }) => id} />
            )}
            <nav class="pages" aria-label="Pages">
              {query.has('cursor') && <a href={to(['jobs'], { ...given(query), cursor: null })}>Newest</a>}
              {cursor !== null && <a href={to(['jobs'], { ...given(query), cursor })}>Older</a>}
            </nav>
          </>
        )}
      </Shown>
    </Screen>
  );
}

function given(query: URLSearchParams): Record<string, string> {
  const all = Object.fromEntries(query);
  delete all.focus;
  return all;
}

const COLUMNS: readonly Column<JobItem>[] = [
  { name: 'State', show: ({ state }) => <State is={state} /> },
  { name: 'Task', show: ({ task }) => task },
  { name: 'Id', wide: true, show: ({ id }) => <a href={to(['jobs', id])}>{id}</a> },
  { name: 'Queue', show: ({ queue }) => queue },
  { name: 'Attempt', number: true, show: ({ attempt, attemptsMax }) => `${attempt} of ${attemptsMax}` },
  { name: 'Created', show: ({ createdAt }) => <Time at={createdAt} /> },
  { name: 'Ran', number: true, show: ran },
];

function ran({ startedAt, finishedAt }: JobItem): string {
  return startedAt === null || finishedAt === null ? '–' : span(finishedAt - startedAt);
}

function Search({ query }: { query: URLSearchParams }) {
  const search = useRef<HTMLInputElement>(null);
  const wantsFocus = query.get('focus') === 'search';
  useEffect(() => {
    if (wantsFocus) search.current?.focus();
  }, [wantsFocus]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const id = String(form.get('id') ?? '').trim();
    if (id !== '') {
      go(to(['jobs', id]));
      return;
    }
    const criteria = Object.fromEntries(CRITERIA.map((name) => [name, String(form.get(name) ?? '').trim()]));
    go(to(['jobs'], { ...criteria, state: form.getAll('state').join(',') }));
  };
  const states = (query.get('state') ?? '').split(',');
  return (
    <search key={query.toString()}>
      <form class="search" onSubmit={submit}>
        <label class="wide">
          Id
          <input type="search" name="id" ref={search} placeholder="goes to one job" />
        </label>
        {CRITERIA.map((name) => (
          <label key={name}>
            {WORDS[name]}
            <input name={name} defaultValue={query.get(name) ?? ''} />
          </label>
        ))}
        <fieldset>
          <legend>States</legend>
          {STATES.map((state) => (
            <label key={state} class="check">
              <input type="checkbox" name="state" value={state} defaultChecked={states.includes(state)} />
              {state}
            </label>
          ))}
        </fieldset>
        <div class="buttons">
          <button type="submit" class="main">
            Search
          </button>
          <a href={to(['jobs'])}>Clear</a>
        </div>
      </form>
    </search>
  );
}
