import { act } from '../api.ts';
import type { Queue } from '../data.ts';
import { ActButton, type Question } from '../dialog.tsx';
import { useLoad } from '../live.ts';
import { type Column, Empty, Screen, Shown, State, Table } from '../parts.tsx';
import { to } from '../route.ts';
import { count, plural, span } from '../words.ts';

/** Queues with their jobs and limits; pausing them, one or all. */
const ALL = '*';

export function QueuesScreen() {
  const page = useLoad<{ queues: readonly Queue[] }>('queues');
  const all = page.data?.queues.find(({ name }) => name === ALL);
  const tools = <PauseButton name={ALL} isPaused={all?.pausedAt != null} reload={page.reload} />;
  return (
    <Screen title="Queues" tools={page.data === null ? null : tools}>
      <Shown of={page}>
        {({ queues }) => (
          <Found
            queues={queues.filter(({ name }) => name !== ALL)}
            isPaused={all?.pausedAt != null}
            reload={page.reload}
          />
        )}
      </Shown>
    </Screen>
  );
}

function Found({
  queues,
  isPaused,
  reload,
}: {
  queues: readonly Queue[];
  isPaused: boolean;
  reload: () => void;
}) {
  return (
    <>
      {isPaused && <p class="fault">All queues are paused, whatever their own state is.</p>}
      {queues.length === 0 ? (
        <Empty>No queue has jobs or settings yet.</Empty>
      ) : (
        <Table label="Queues" columns={columns(reload)} rows={queues} keyOf={({ name }) => name} />
      )}
    </>
  );
}

function columns(reload: () => void): readonly Column<Queue>[] {
  return [
    { name: 'Queue', show: ({ name }) => <a href={to(['jobs'], { queue: name })}>{name}</a> },
    { name: 'State', show: ({ pausedAt }) => <State is={pausedAt === null ? 'open' : 'paused'} /> },
    { name: 'Ready', number: true, show: ({ counts }) => count(counts.ready) },
    { name: 'Due later', number: true, show: ({ counts }) => count(counts.scheduled) },
    { name: 'Running', number: true, show: ({ counts }) => count(counts.running) },
    { name: 'Failed', number: true, show: ({ counts }) => count(counts.failed) },
    { name: 'Limits', wide: true, show: ({ limits }) => limitsText(limits) },
    {
      name: 'Act',
      wide: true,
      show: (queue) => (
        <span class="buttons">
          <PauseButton name={queue.name} isPaused={queue.pausedAt !== null} reload={reload} />
          <ActButton label="Limits…" needs="administer" question={() => limitsQuestion(queue, reload)} />
          <ActButton label="Empty…" needs="administer" question={() => drainQuestion(queue, reload)} />
        </span>
      ),
    },
  ];
}

type Limits = Queue['limits'];

function limitsText({ concurrency, rate, perKey }: Limits): string {
  const parts = [
    concurrency === null ? '' : `${count(concurrency)} at a time`,
    rateText(rate),
    perKey.ordered ? 'in order for each key' : '',
    perKey.concurrency === null ? '' : `${count(perKey.concurrency)} at a time for each key`,
    perKey.rate === null ? '' : `${rateText(perKey.rate)} for each key`,
  ];
  return parts.filter(Boolean).join(', ') || 'none';
}

function rateText(rate: Limits['rate']): string {
  return rate === null ? '' : `${count(rate.count)} every ${span(rate.perMs)}`;
}

function PauseButton({ name, isPaused, reload }: { name: string; isPaused: boolean; reload: () => void }) {
  const verb = isPaused ? 'resume' : 'pause';
  const what = name === ALL ? 'all queues' : `queue ${name}`;
  const question = (): Question => ({
    title: isPaused ? `Resume ${what}?` : `Pause ${what}?`,
    text: isPaused
      ? 'Workers claim from it again.'
      : 'No machine claims from it any more. Running jobs go on.',
    verb: isPaused ? 'Resume' : 'Pause',
    run: async () => {
      await act('POST', `queues/${encodeURIComponent(name)}/${verb}`);
      reload();
      return isPaused ? `Resumed ${what}.` : `Paused ${what}.`;
    },
  });
  const label = `${isPaused ? 'Resume' : 'Pause'}${name === ALL ? ' all' : ''}`;
  return <ActButton label={label} needs="act" question={question} main={isPaused} />;
}

function limitsQuestion({ name, limits: { concurrency, rate } }: Queue, reload: () => void): Question {
  return {
    title: `Limits of queue ${name}`,
    text: 'An empty field lifts the limit. Limits for each key stay as they are.',
    verb: 'Set the limits',
    fields: [
      {
        name: 'concurrency',
        label: 'Jobs that run at a time',
        kind: 'number',
        value: String(concurrency ?? ''),
      },
      { name: 'count', label: 'Jobs that start', kind: 'number', value: String(rate?.count ?? '') },
      {
        name: 'seconds',
        label: '… in so many seconds',
        kind: 'number',
        value: String(rate === null ? '' : rate.perMs / 1_000),
      },
    ],
    run: async (given) => {
      const number = (field: string): number | null => (given[field] ? Number(given[field]) : null);
      const [starts, seconds] = [number('count'), number('seconds')];
      if ((starts === null) !== (seconds === null))
        throw new Error('A rate needs both: how many jobs, and in how many seconds.');
      await act('PATCH', `queues/${encodeURIComponent(name)}/limits`, {
        concurrency: number('concurrency'),
        rate: starts === null || seconds === null ? null : { count: starts, perMs: seconds * 1_000 },
      });
      reload();
      return `Queue ${name} has its new limits.`;
    },
  };
}

function drainQuestion({ name, counts }: Queue, reload: () => void): Question {
  return {
    title: `Delete the waiting jobs of queue ${name}?`,
    text: `${plural(counts.ready + counts.scheduled, 'job')} wait in it now. They are deleted and do not come back.`,
    verb: 'Delete them',
    isDanger: true,
    run: async () => {
      const { removed } = await act<{ removed: number }>('POST', `queues/${encodeURIComponent(name)}/drain`);
      reload();
      return `${plural(removed, 'job')} deleted.`;
    },
  };
}
