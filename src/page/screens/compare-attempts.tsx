import { Beside, type Pair, textPair } from '../beside.tsx';
import type { Job } from '../data.ts';
import { useLoad } from '../live.ts';
import { type Attempt, attemptsOf, paceOf } from '../pairs.ts';
import { Empty, Panel, Screen, Shown, State, Time } from '../parts.tsx';
import { go, to } from '../route.ts';
import { Tree } from '../tree.tsx';
import { clock, exact, span } from '../words.ts';

/** Two attempts of one job beside each other: how they ended, and what their handlers logged. */
interface AttemptsGiven {
  readonly id: string;
  /** From 1; null is the last one. */
  readonly places: readonly [number, number | null];
}

export function AttemptsBeside({ id, places }: AttemptsGiven) {
  const job = useLoad<Job>(`jobs/${encodeURIComponent(id)}`);
  return (
    <Screen title="Two attempts" tools={<a href={to(['jobs', id])}>Back to the job</a>}>
      <Shown of={job}>{(found) => <Chosen job={found} places={places} />}</Shown>
    </Screen>
  );
}

function Chosen({ job, places: [one, other] }: { job: Job; places: AttemptsGiven['places'] }) {
  const attempts = attemptsOf(job);
  const [first, second] = [attempts[one - 1], attempts[(other ?? attempts.length) - 1]];
  if (attempts.length < 2) return <Empty>Fewer than two attempts of this job are kept.</Empty>;
  const choose = (places: readonly [number, number]): void =>
    go(to(['compare', 'attempts', job.id, ...places.map(String)]));
  const [firstPlace, secondPlace] = [first?.place ?? 1, second?.place ?? attempts.length];
  return (
    <>
      <div class="halves chosen">
        <AttemptSelect
          label="First"
          attempts={attempts}
          at={firstPlace}
          choose={(at) => choose([at, secondPlace])}
        />
        <AttemptSelect
          label="Second"
          attempts={attempts}
          at={secondPlace}
          choose={(at) => choose([firstPlace, at])}
        />
      </div>
      {first === undefined || second === undefined ? (
        <Empty>This job has no such attempt: {attempts.length} are kept.</Empty>
      ) : (
        <>
          <EndsBeside title="How they ended" first={first} second={second} />
          <LogsBeside first={first} second={second} />
        </>
      )}
    </>
  );
}

interface SelectGiven {
  readonly label: string;
  readonly attempts: readonly Attempt[];
  readonly at: number;
  readonly choose: (place: number) => void;
}

function AttemptSelect({ label, attempts, at, choose }: SelectGiven) {
  return (
    <label>
      {label}
      <select value={String(at)} onChange={({ currentTarget }) => choose(Number(currentTarget.value))}>
        {attempts.map(({ place, number, state, endedAt }) => (
          <option key={place} value={String(place)}>
            Attempt {number}, {state}
            {endedAt !== null && `, ${exact(endedAt)}`}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Both {
  readonly first: Attempt;
  readonly second: Attempt;
}

export function EndsBeside({ title, first, second }: Both & { readonly title: string }) {
  const [one, other] = [first.error?.stack ?? null, second.error?.stack ?? null];
  return (
    <Panel title={title}>
      <Beside label={title} pairs={endPairs({ first, second })} />
      {(one !== null || other !== null) && (
        <div class="halves">
          <Stack name="Stack of the first" own={one} other={other} />
          <Stack name="Stack of the second" own={other} other={one} />
        </div>
      )}
    </Panel>
  );
}

function endPairs({ first, second }: Both): readonly Pair[] {
  const error = ({ error: one }: Attempt): string | null =>
    one === null ? null : `${one.name}: ${one.message}`;
  const shown = (ms: number | null): string => (ms === null ? 'not kept' : span(ms));
  return [
    textPair('Attempt', String(first.number), String(second.number)),
    {
      name: 'Ended as',
      first: <State is={first.state} />,
      second: <State is={second.state} />,
      mark: first.state === second.state ? null : 'differs',
    },
    { name: 'Ended', first: <Time at={first.endedAt} />, second: <Time at={second.endedAt} />, mark: null },
    {
      name: 'In the handler',
      first: shown(first.runMs),
      second: shown(second.runMs),
      mark: paceOf(first.runMs, second.runMs),
    },
    textPair('Worker', first.worker, second.worker),
    textPair('Error', error(first), error(second)),
    textPair('Code', first.error?.code ?? null, second.error?.code ?? null),
  ];
}

interface StackGiven {
  readonly name: string;
  readonly own: string | null;
  readonly other: string | null;
}

/** Lines that the other stack does not have are bold. */
function Stack({ name, own, other }: StackGiven) {
  if (own === null) return <Empty>No stack is kept.</Empty>;
  const known = new Set(other?.split('\n') ?? []);
  return (
    <div>
      <h3>{name}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys as well. */}
      <pre tabIndex={0}>
        {own.split('\n').map((line, index) => (
          <span key={`${index}${line}`}>
            {known.has(line) ? line : <b>{line}</b>}
            {'\n'}
          </span>
        ))}
      </pre>
    </div>
  );
}

/** Lines that the other attempt does not have are marked. */
export function LogsBeside({ first, second }: Both) {
  return (
    <div class="halves">
      <Panel title="Log of the first">
        <Lines own={first} other={second} />
      </Panel>
      <Panel title="Log of the second">
        <Lines own={second} other={first} />
      </Panel>
    </div>
  );
}

function Lines({ own, other }: { own: Attempt; other: Attempt }) {
  if (own.logs.length === 0) return <Empty>Its handler logged nothing.</Empty>;
  const told = new Set(other.logs.map(({ message }) => message));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by keys as well.
    <ol class="log" tabIndex={0}>
      {own.logs.map(({ at, message, data }, index) => (
        <li key={`${at}-${index}`}>
          <time dateTime={new Date(at).toISOString()}>{clock(at)}</time> {message}{' '}
          {!told.has(message) && <span class="mark">only here</span>}
          {data !== null && <Tree value={data} label={`Data of ${message}`} />}
        </li>
      ))}
    </ol>
  );
}
