import type { ScheduleSummary } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Screen, Shown, State, Table, Time } from '../parts.tsx';
import { type Route, to } from '../route.ts';
import { timingText } from '../timing.ts';
import { count } from '../words.ts';
import { ScheduleActions } from './schedule-actions.tsx';

/** What starts jobs and runs at set times. */
export function SchedulesScreen({ route: { query } }: { route: Route }) {
  const cursor = query.get('cursor');
  const page = useLoad<{ schedules: readonly ScheduleSummary[]; cursor: string | null }>(
    `schedules?limit=50${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
  );
  return (
    <Screen title="Schedules">
      <Shown of={page}>
        {({ schedules, cursor: older }) => (
          <>
            {schedules.length === 0 ? (
              <Empty>There are no schedules.</Empty>
            ) : (
              <Table
                label="Schedules"
                columns={columns(page.reload)}
                rows={schedules}
                keyOf={({ name }) => name}
              />
            )}
            <nav class="pages" aria-label="Pages">
              {cursor !== null && <a href={to(['schedules'])}>Newest</a>}
              {older !== null && <a href={to(['schedules'], { cursor: older })}>Older</a>}
            </nav>
          </>
        )}
      </Shown>
    </Screen>
  );
}

function columns(reload: () => void): readonly Column<ScheduleSummary>[] {
  return [
    { name: 'State', show: ({ state }) => <State is={state} /> },
    { name: 'Schedule', show: ({ name }) => <a href={to(['schedules', name])}>{name}</a> },
    { name: 'When', wide: true, show: (schedule) => timingText(schedule) },
    { name: 'Starts', show: ({ task, flow }) => (task === null ? `flow ${flow}` : `task ${task}`) },
    { name: 'Next', show: ({ nextAt }) => <Time at={nextAt} /> },
    { name: 'Last end', show: ({ lastEnd }) => (lastEnd === null ? '–' : <State is={lastEnd.state} />) },
    { name: 'Live', number: true, show: ({ live }) => count(live.length) },
    { name: 'Act', wide: true, show: (schedule) => <ScheduleActions of={schedule} reload={reload} /> },
  ];
}
