import { act, get } from '../api.ts';
import type { Job, Reason, Run, Step } from '../data.ts';
import { ActButton, jsonOf, type Question, WHY, whyOf } from '../dialog.tsx';
import { useLoad } from '../live.ts';
import { Facts, Panel, Shown, State, Time } from '../parts.tsx';
import { to } from '../route.ts';
import { Tree } from '../tree.tsx';
import { count, exact } from '../words.ts';
import { Reasons } from './job.tsx';

/** One step of a run: what it waits for or became, and what may be done with it by hand. */
interface StepGiven {
  readonly run: Run;
  readonly step: Step;
  readonly reload: () => void;
}

export function StepPanel({ run, step, reload }: StepGiven) {
  const { job, items } = step;
  const isOpen =
    run.endedAt === null &&
    (step.state === 'pending' || step.state === 'waiting' || step.state === 'running');
  return (
    <Panel title={`Step ${step.name}`} id="step">
      <Facts
        of={[
          ['State', <State key="state" is={step.blocked ? 'blocked' : step.state} />],
          ['Kind', step.kind],
          ...(step.task === null ? [] : ([['Task', step.task]] as const)),
          ['Started', <Time key="started" at={step.startedAt} />],
          ['Ended', <Time key="ended" at={step.endedAt} />],
          ...(job === null
            ? []
            : ([
                [
                  'Job',
                  <a key="job" href={to(['jobs', job.id])}>
                    {job.state ?? 'no longer kept'}, attempt {job.attempt} of {job.attemptsMax}
                  </a>,
                ],
              ] as const)),
          ...(step.run === null
            ? []
            : ([
                [
                  'Run',
                  <a key="run" href={to(['runs', step.run])}>
                    {step.run}
                  </a>,
                ],
              ] as const)),
          ...(step.signal === null ? [] : ([['Signal', step.signal]] as const)),
          ...(step.until === null ? [] : ([['Until', exact(step.until)]] as const)),
          ...(step.chose === null ? [] : ([['Chose', step.chose.join(', ')]] as const)),
          ...(step.undo === null ? [] : ([['Undo', step.undo]] as const)),
        ]}
      />
      {items !== null && (
        <p>
          <progress
            value={items.completed + items.failed}
            max={Math.max(1, items.of)}
            aria-label="Items that have ended"
          />
          {count(items.of)} items: {count(items.completed)} completed, {count(items.failed)} failed,{' '}
          {count(items.running)} running, {count(items.waiting)} wait.
        </p>
      )}
      {step.error !== null && (
        <p class="error">
          {step.error.name}: {step.error.message}
        </p>
      )}
      {isOpen && <StepWhy run={run.id} step={step.name} />}
      {step.result !== null && <Tree value={step.result} label={`Result of ${step.name}`} />}
      <StepActions run={run} step={step} reload={reload} />
    </Panel>
  );
}

function StepWhy({ run, step }: { run: string; step: string }) {
  const why = useLoad<{ reasons: readonly Reason[] }>(
    `runs/${encodeURIComponent(run)}/steps/${encodeURIComponent(step)}/why`,
  );
  return (
    <>
      <h3>Why does it not run?</h3>
      <Shown of={why}>{({ reasons }) => <Reasons of={reasons} />}</Shown>
    </>
  );
}

function StepActions({ run, step, reload }: StepGiven) {
  const place = `runs/${encodeURIComponent(run.id)}/steps/${encodeURIComponent(step.name)}`;
  const post = async (verb: string, body: object, told: string): Promise<string> => {
    await act('POST', `${place}/${verb}`, body);
    reload();
    return told;
  };
  const retry = async (): Promise<Question> => {
    const input = step.job === null ? null : await inputOf(step.job.id);
    const failed = step.items?.failed ?? 0;
    return {
      title: `Run step ${step.name} once more?`,
      text:
        failed > 0
          ? `Its ${count(failed)} failed items run again.`
          : 'The run goes on from there. An input that is changed replaces the old one.',
      verb: 'Run it again',
      fields: [
        ...(input === null
          ? []
          : [{ name: 'input', label: 'Input, as JSON', kind: 'json', value: input } as const]),
        WHY,
      ],
      run: (given) => {
        const isChanged = input !== null && given.input !== input;
        return post(
          'retry',
          { ...whyOf(given), ...(isChanged ? { input: jsonOf(given.input ?? '') } : {}) },
          `Step ${step.name} runs again.`,
        );
      },
    };
  };
  const complete = (): Question => ({
    title: `Count step ${step.name} as completed?`,
    text: 'Steps that wait for it get this result.',
    verb: 'Count as completed',
    fields: [{ name: 'result', label: 'Result, as JSON', kind: 'json', value: 'null' }, WHY],
    run: (given) =>
      post(
        'complete',
        { result: jsonOf(given.result ?? 'null'), ...whyOf(given) },
        `Step ${step.name} counts as completed.`,
      ),
  });
  const skip = (): Question => ({
    title: `Pass over step ${step.name}?`,
    text: 'As if its branch had not been chosen: steps that need it are passed over, too.',
    verb: 'Pass over it',
    fields: [WHY],
    run: (given) => post('skip', whyOf(given), `Step ${step.name} was passed over.`),
  });
  const signal = (): Question => ({
    title: `Send the signal ${step.signal}?`,
    text: `Step ${step.name} waits for it.`,
    verb: 'Send it',
    fields: [{ name: 'payload', label: 'Payload, as JSON', kind: 'json', value: 'null' }],
    run: async (given) => {
      const body = { name: step.signal, payload: jsonOf(given.payload ?? 'null') };
      await act('POST', `runs/${encodeURIComponent(run.id)}/signals`, body);
      reload();
      return 'The signal was sent.';
    },
  });
  if (run.endedAt !== null) return null;
  const isFailed = step.state === 'failed' || step.blocked || step.undo === 'failed';
  return (
    <div class="buttons">
      {step.state === 'waiting' && step.signal !== null && (
        <ActButton label="Send the signal…" needs="act" question={signal} main />
      )}
      {isFailed && <ActButton label="Run again…" needs="act" question={retry} main />}
      {step.state !== 'completed' && step.state !== 'skipped' && (
        <>
          <ActButton label="Count as completed…" needs="act" question={complete} />
          <ActButton label="Pass over…" needs="act" question={skip} />
        </>
      )}
    </div>
  );
}

/** Null where the job is no longer kept. */
async function inputOf(job: string): Promise<string | null> {
  const found = await get<Job>(`jobs/${encodeURIComponent(job)}`).catch(() => null);
  return found === null ? null : JSON.stringify(found.input, null, 2);
}
