import { Chart } from '../chart.tsx';
import type { Worker } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Column, Empty, Panel, Screen, Shown, State, Table, Time } from '../parts.tsx';
import { to } from '../route.ts';
import { count, span } from '../words.ts';

/** Workers of every process: their slots, and in which lane they run their tasks. */
export function WorkersScreen() {
  const page = useLoad<{ workers: readonly Worker[] }>('workers');
  return (
    <Screen title="Workers">
      <Shown of={page}>
        {({ workers }) =>
          workers.length === 0 ? (
            <Empty>No worker runs. Start one with: longshore work --store URL TASKS</Empty>
          ) : (
            <>
              <Table label="Workers" columns={COLUMNS} rows={workers} keyOf={({ id }) => id} />
              <Slots />
              {workers
                .filter(({ profiles }) => profiles.length > 0)
                .map((worker) => (
                  <Panel key={worker.id} title={`Lanes of ${worker.id}`} id={worker.id}>
                    <Table
                      label={`Lanes of ${worker.id}`}
                      columns={LANES}
                      rows={worker.profiles}
                      keyOf={({ task }) => task}
                    />
                  </Panel>
                ))}
            </>
          )
        }
      </Shown>
    </Screen>
  );
}

interface SlotHistory {
  readonly id: string;
  readonly points: readonly { readonly at: number; readonly slots: number; readonly slotsUsed: number }[];
}

/** What the tuner made of each worker's slots over the last hour. */
function Slots() {
  const history = useLoad<{ workers: readonly SlotHistory[] }>('history/workers');
  return (
    <Panel title="Slots over the last hour">
      <Shown of={history}>
        {({ workers }) => (
          <>
            {workers.map(({ id, points }) => (
              <Chart
                key={id}
                title={id}
                times={points.map(({ at }) => at)}
                lines={[
                  { name: 'slots', tone: 'accent', values: points.map(({ slots }) => slots) },
                  { name: 'used', tone: 'good', values: points.map(({ slotsUsed }) => slotsUsed) },
                ]}
              />
            ))}
          </>
        )}
      </Shown>
    </Panel>
  );
}

const COLUMNS: readonly Column<Worker>[] = [
  { name: 'State', show: ({ alive }) => <State is={alive ? 'alive' : 'silent'} /> },
  { name: 'Worker', wide: true, show: ({ id }) => id },
  { name: 'Host', show: ({ host, pid }) => `${host}, process ${pid}` },
  {
    name: 'Slots',
    show: ({ slots, slotsUsed, id }) => (
      <>
        <meter min={0} max={Math.max(1, slots)} value={slotsUsed} aria-label={`Slots used of ${id}`} />{' '}
        {count(slotsUsed)} of {count(slots)}
      </>
    ),
  },
  { name: 'Holds', number: true, show: ({ running }) => count(running) },
  {
    name: 'Queues',
    show: ({ queues }) =>
      queues.map((name, index) => (
        <span key={name}>
          {index > 0 && ', '}
          <a href={to(['jobs'], { queue: name })}>{name}</a>
        </span>
      )),
  },
  { name: 'Tasks', wide: true, show: ({ tasks }) => <span class="clip">{tasks.join(', ')}</span> },
  { name: 'Started', show: ({ startedAt }) => <Time at={startedAt} /> },
  { name: 'Seen', show: ({ seenAt }) => <Time at={seenAt} /> },
];

type Profile = Worker['profiles'][number];

const LANES: readonly Column<Profile>[] = [
  { name: 'Task', show: ({ task }) => task },
  { name: 'Lane', show: ({ lane }) => lane },
  { name: 'Why', wide: true, show: ({ reason }) => reason },
  { name: 'Busy', number: true, show: ({ busyMs }) => span(busyMs) },
  { name: 'Takes', number: true, show: ({ wallMs }) => span(wallMs) },
  { name: 'Measured', number: true, show: ({ samples }) => count(samples) },
];
