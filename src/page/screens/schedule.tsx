import type { Schedule } from '../data.ts';
import { useLoad } from '../live.ts';
import { Empty, Facts, Panel, Screen, Shown, State, Time } from '../parts.tsx';
import { type Route, to } from '../route.ts';
import { timingText } from '../timing.ts';
import { Tree } from '../tree.tsx';
import { ago, count, exact } from '../words.ts';
import { ScheduleActions } from './schedule-actions.tsx';

/** One schedule: when it ticks next, and what it started. */
export function ScheduleScreen({ route: { parts } }: { route: Route }) {
  const name = parts[1] as string;
  const schedule = useLoad<Schedule>(`schedules/${encodeURIComponent(name)}`);
  const tools =
    schedule.data === null ? null : <ScheduleActions of={schedule.data} reload={schedule.reload} />;
  return (
    <Screen title={`Schedule ${name}`} tools={tools}>
      <Shown of={schedule}>{(found) => <Found schedule={found} />}</Shown>
    </Screen>
  );
}

function Found({ schedule }: { schedule: Schedule }) {
  const { state, task, flow, overlap, missed, starts, skips, live, owner, note, paused, input, audit } =
    schedule;
  return (
    <>
      <Facts
        of={[
          ['State', <State key="state" is={state} />],
          ['When', timingText(schedule)],
          ['Starts', task === null ? `flow ${flow}` : `task ${task}`],
          ['While one runs', overlap],
          ['Missed ticks', missed],
          ['Started', count(starts)],
          ['Skipped', count(skips)],
          ['Defined by', owner ?? 'hand'],
          ...(note === null ? [] : ([['Note', note]] as const)),
          ...(paused === null ? [] : ([['Paused by', `${paused.by}, ${ago(paused.at)}`]] as const)),
        ]}
      />
      <div class="halves">
        <Panel title="Next times">
          <Ticks name={schedule.name} />
        </Panel>
        <Panel title="Input">
          <Tree value={input} label="Input" />
        </Panel>
      </div>
      <Panel title="Started and not ended">
        {live.length === 0 ? (
          <Empty>Nothing that it started is still going on.</Empty>
        ) : (
          <ul class="lines">
            {live.map((id) => (
              <li key={id}>
                <a href={to([task === null ? 'runs' : 'jobs', id])}>{id}</a>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      {audit.length > 0 && (
        <Panel title="Done by hand">
          <ol class="lines">
            {audit.map((entry) => (
              <li key={`${entry.at}${entry.action}`}>
                <Time at={entry.at} /> {entry.by}: {entry.action} {entry.note}
              </li>
            ))}
          </ol>
        </Panel>
      )}
    </>
  );
}

function Ticks({ name }: { name: string }) {
  const page = useLoad<{ ticks: readonly number[] }>(`schedules/${encodeURIComponent(name)}/ticks?count=10`);
  return (
    <Shown of={page}>
      {({ ticks }) =>
        ticks.length === 0 ? (
          <Empty>It does not tick any more.</Empty>
        ) : (
          <ol class="lines">
            {ticks.map((at) => (
              <li key={at}>
                {exact(at)} <span class="faint">{ago(at)}</span>
              </li>
            ))}
          </ol>
        )
      }
    </Shown>
  );
}
