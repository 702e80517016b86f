import { act } from '../api.ts';
import type { Group } from '../data.ts';
import { ActButton, type Question, WHY, whyOf } from '../dialog.tsx';
import { useLoad } from '../live.ts';
import { notify } from '../notices.tsx';
import { type Column, Empty, Screen, Shown, Table, Time } from '../parts.tsx';
import { to } from '../route.ts';
import { count, plural } from '../words.ts';

/** Failed jobs by error, and running them again: counted first, then with a way back before anything is sent. */
interface Groups {
  readonly groups: readonly Group[];
  readonly lookedAt: number;
  readonly more: boolean;
}

const UNDO_MS = 6_000;
/** Requests of one redrive, each of which looks at 1,000 jobs. */
const PAGES_MAX = 100;

export function DeadLettersScreen() {
  const page = useLoad<Groups>('dead-letters');
  return (
    <Screen title="Dead letters">
      <Shown of={page}>
        {({ groups, lookedAt, more }) =>
          groups.length === 0 ? (
            <Empty>No failed jobs are kept.</Empty>
          ) : (
            <>
              <p class="faint">
                {plural(lookedAt, 'failed job')} looked at{more ? ', the newest; there are more' : ''}.
              </p>
              <Table
                label="Failed jobs by error"
                columns={columns(page.reload)}
                rows={groups}
                keyOf={({ fingerprint }) => fingerprint}
              />
            </>
          )
        }
      </Shown>
    </Screen>
  );
}

function columns(reload: () => void): readonly Column<Group>[] {
  return [
    { name: 'Jobs', number: true, show: ({ jobs }) => count(jobs) },
    {
      name: 'Error',
      wide: true,
      show: ({ pattern, message }) => (
        <>
          <span class="error clip">{pattern}</span>
          <span class="faint clip">{message}</span>
        </>
      ),
    },
    { name: 'Task', show: ({ task }) => <a href={to(['jobs'], { task, state: 'failed' })}>{task}</a> },
    { name: 'Queues', show: ({ queues }) => queues.join(', ') },
    { name: 'First', show: ({ firstAt }) => <Time at={firstAt} /> },
    { name: 'Last', show: ({ lastAt }) => <Time at={lastAt} /> },
    {
      name: 'Examples',
      show: ({ examples }) => (
        <span class="buttons">
          {examples.map((id, index) => (
            <a key={id} href={to(['jobs', id])} aria-label={`Job ${id}`}>
              {index + 1}
            </a>
          ))}
        </span>
      ),
    },
    {
      name: 'Act',
      wide: true,
      show: (group) => (
        <ActButton label="Run again…" needs="act" question={() => questionOf(group, reload)} />
      ),
    },
  ];
}

async function questionOf({ fingerprint, task, pattern }: Group, reload: () => void): Promise<Question> {
  const jobs = await redrive({ fingerprint, task, dryRun: true });
  return {
    title: `Run ${plural(jobs, 'job')} again?`,
    text: `Failed jobs of ${task} with the error: ${pattern}. They get fresh attempts. You can take it back for ${UNDO_MS / 1_000} s.`,
    verb: `Run ${plural(jobs, 'job')} again`,
    fields: [WHY],
    run: async (given) => {
      later({ fingerprint, task, ...whyOf(given) }, jobs, reload);
      return `Running ${plural(jobs, 'job')} again.`;
    },
  };
}

/** Nothing is sent before the time to take it back is over; whoever leaves the page takes it back. */
function later(body: object, jobs: number, reload: () => void): void {
  const timer = setTimeout(() => {
    redrive(body).then(
      (done) => {
        notify({ text: `${plural(done, 'job')} will run again.` });
        reload();
      },
      (error: Error) => notify({ text: error.message, isBad: true }),
    );
  }, UNDO_MS);
  // After the dialog has told that it is done.
  setTimeout(() =>
    notify({ text: `Running ${plural(jobs, 'job')} again.`, undo: () => clearTimeout(timer), ms: UNDO_MS }),
  );
}

async function redrive(body: object): Promise<number> {
  let jobs = 0;
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer: { jobs: number; cursor: string | null } = await act('POST', 'dead-letters/redrive', {
      ...body,
      ...(cursor === null ? {} : { cursor }),
    });
    jobs += answer.jobs;
    cursor = answer.cursor;
    if (cursor === null) break;
  }
  return jobs;
}
