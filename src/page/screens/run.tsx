import type { Run } from '../data.ts';
import { useLoad } from '../live.ts';
import { Empty, Facts, Panel, Screen, Shown, State, Time } from '../parts.tsx';
import { type Route, to } from '../route.ts';
import { Tree } from '../tree.tsx';
import { span } from '../words.ts';
import { RunActions } from './run-actions.tsx';
import { RunGraph } from './run-graph.tsx';
import { StepPanel } from './run-step.tsx';
import { RunTimeline } from './run-timeline.tsx';

/** One run: the graph of its steps with their states, when they ran, and what may be done by hand. */
export function RunScreen({ route: { parts, query } }: { route: Route }) {
  const id = parts[1] as string;
  const run = useLoad<Run>(`runs/${encodeURIComponent(id)}`);
  const tools =
    run.data === null ? null : (
      <>
        <a href={to(['compare', 'runs', id])}>Compare…</a>
        <RunActions run={run.data} reload={run.reload} />
      </>
    );
  return (
    <Screen title={run.data === null ? `Run ${id}` : `Run of ${run.data.flow}`} tools={tools}>
      <Shown of={run}>{(found) => <Found run={found} step={query.get('step')} reload={run.reload} />}</Shown>
    </Screen>
  );
}

function Found({ run, step, reload }: { run: Run; step: string | null; reload: () => void }) {
  // People come for what they must decide on.
  const chosen =
    run.steps.find(({ name }) => name === step) ??
    run.steps.find(({ blocked }) => blocked) ??
    run.steps.find(({ state }) => state === 'waiting' || state === 'running');
  return (
    <>
      <Facts
        of={[
          ['State', <State key="state" is={run.state} />],
          ['Id', <code key="id">{run.id}</code>],
          ['Started', <Time key="started" at={run.startedAt} />],
          ['Took', run.endedAt === null ? 'not ended' : span(run.endedAt - run.startedAt)],
          ...(run.reason === null ? [] : ([['Why it did not complete', run.reason]] as const)),
          ...(run.parent === null
            ? []
            : ([
                [
                  'Step of',
                  <a key="parent" href={to(['runs', run.parent])}>
                    {run.parent}
                  </a>,
                ],
              ] as const)),
        ]}
      />
      <Panel title="Steps">
        <RunGraph run={run} chosen={chosen?.name ?? null} />
      </Panel>
      {chosen === undefined ? (
        <Empty>Choose a step to look at it.</Empty>
      ) : (
        <StepPanel key={chosen.name} run={run} step={chosen} reload={reload} />
      )}
      <Panel title="When it ran">
        <RunTimeline run={run} />
        <p>
          <a href={to(['traces', run.id])}>Where the time went</a>
        </p>
      </Panel>
      <div class="halves">
        <Panel title="Input">
          <Tree value={run.input} label="Input" />
        </Panel>
        <Panel title="Result">
          {run.state === 'completed' ? (
            <Tree value={run.result} label="Result" />
          ) : (
            <Empty>It has not completed.</Empty>
          )}
        </Panel>
      </div>
      {run.audit.length > 0 && (
        <Panel title="Done by hand">
          <ol class="lines">
            {run.audit.map(({ at, by, action, step: on, why }) => (
              <li key={`${at}${action}${on}`}>
                <Time at={at} /> {by}: {action} {on} {why === null ? '' : `– ${why}`}
              </li>
            ))}
          </ol>
        </Panel>
      )}
    </>
  );
}
