import type { RunSummary } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Screen, Shown, State, Table, Time } from '../parts.tsx';
import { go, type Route, to } from '../route.ts';
import { span } from '../words.ts';

/** Runs of flows, the newest first. */
const STATES = ['running', 'waiting', 'blocked', 'completed', 'failed', 'cancelled'] as const;

export function RunsScreen({ route: { query } }: { route: Route }) {
  const criteria = new URLSearchParams(
    [...query].filter(([name]) => ['flow', 'state', 'cursor'].includes(name)),
  );
  criteria.set('limit', '50');
  const page = useLoad<{ runs: readonly RunSummary[]; cursor: string | null }>(`runs?${criteria}`);
  const given = { flow: query.get('flow'), state: query.get('state') };
  return (
    <Screen title="Runs">
      <Search query={query} />
      <Shown of={page}>
        {({ runs, cursor }) => (
          <>
            {runs.length === 0 ? (
              <Empty>No run meets this search.</Empty>
            ) : (
              <Table label="Runs, the newest first" columns={COLUMNS} rows={runs} keyOf={({ id }) => id} />
            )}
            <nav class="pages" aria-label="Pages">
              {query.has('cursor') && <a href={to(['runs'], given)}>Newest</a>}
              {cursor !== null && <a href={to(['runs'], { ...given, cursor })}>Older</a>}
            </nav>
          </>
        )}
      </Shown>
    </Screen>
  );
}

const COLUMNS: readonly Column<RunSummary>[] = [
  { name: 'State', show: ({ state }) => <State is={state} /> },
  { name: 'Flow', show: ({ flow }) => flow },
  { name: 'Id', wide: true, show: ({ id }) => <a href={to(['runs', id])}>{id}</a> },
  { name: 'Started', show: ({ startedAt }) => <Time at={startedAt} /> },
  {
    name: 'Took',
    number: true,
    show: ({ startedAt, endedAt }) => (endedAt === null ? '–' : span(endedAt - startedAt)),
  },
  {
    name: 'Why it did not complete',
    wide: true,
    show: ({ reason }) => <span class="clip">{reason ?? '–'}</span>,
  },
];

function Search({ query }: { query: URLSearchParams }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const id = String(form.get('id') ?? '').trim();
    const flow = String(form.get('flow') ?? '').trim();
    go(id === '' ? to(['runs'], { flow, state: form.getAll('state').join(',') }) : to(['runs', id]));
  };
  const states = (query.get('state') ?? '').split(',');
  return (
    <search key={query.toString()}>
      <form class="search" onSubmit={submit}>
        <label class="wide">
          Id
          <input type="search" name="id" placeholder="goes to one run" />
        </label>
        <label>
          Flow
          <input name="flow" defaultValue={query.get('flow') ?? ''} />
        </label>
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
          <a href={to(['runs'])}>Clear</a>
        </div>
      </form>
    </search>
  );
}
