import type { AuditEntry } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Screen, Shown, Table, Time } from '../parts.tsx';
import { type Route, to } from '../route.ts';

/** Who did what by hand, to whatever it was. */
export function AuditScreen({ route: { query } }: { route: Route }) {
  const cursor = query.get('cursor');
  const page = useLoad<{ entries: readonly AuditEntry[]; cursor: string | null }>(
    `audit?limit=50${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
  );
  return (
    <Screen title="Audit">
      <Shown of={page}>
        {({ entries, cursor: older }) => (
          <>
            {entries.length === 0 ? (
              <Empty>Nothing was done by hand in the last 90 days.</Empty>
            ) : (
              <Table
                label="Done by hand, the newest first"
                columns={COLUMNS}
                rows={entries}
                keyOf={(entry) => JSON.stringify(entry)}
              />
            )}
            <nav class="pages" aria-label="Pages">
              {cursor !== null && <a href={to(['audit'])}>Newest</a>}
              {older !== null && <a href={to(['audit'], { cursor: older })}>Older</a>}
            </nav>
          </>
        )}
      </Shown>
    </Screen>
  );
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { name: 'When', show: ({ at }) => <Time at={at} /> },
  { name: 'Who', show: ({ by }) => by },
  { name: 'Action', show: ({ action }) => action },
  { name: 'On', wide: true, show: ({ target }) => target ?? '–' },
  { name: 'Why', wide: true, show: ({ why }) => why ?? '–' },
  {
    name: 'Details',
    wide: true,
    show: ({ details }) =>
      details === null || details === undefined ? '–' : <code class="clip">{JSON.stringify(details)}</code>,
  },
];
