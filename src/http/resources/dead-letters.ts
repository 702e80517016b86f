import Type, { type Static } from 'typebox';
import { Closed, Cursor, Nullable, Queue, Task, Time, Why } from '../forms.ts';
import { type Means, type Operation, operation } from '../operation.ts';
import { type Failure, failuresOf, newestJobs, type RecentFilter } from '../recent.ts';
import { auditOf, reportAnswer } from './job-actions.ts';

/** Failed jobs, in groups of one error each. */
const LOOKED_AT_MAX = 300;
const ACTED_ON_MAX = 1_000;
const EXAMPLES_MAX = 5;

const Fingerprint = Type.String({ pattern: '^[0-9a-f]{16}$', description: 'Of a group' });

export const GroupForm = Closed({
  fingerprint: Fingerprint,
  task: Type.String(),
  pattern: Type.String({ description: 'The error, without what differs from job to job' }),
  message: Type.String({ description: 'Of the newest job' }),
  jobs: Type.Integer(),
  queues: Type.Array(Type.String()),
  firstAt: Nullable(Time),
  lastAt: Nullable(Time),
  examples: Type.Array(Type.String(), { description: 'Ids of the newest jobs' }),
});

const GroupsForm = Closed({
  groups: Type.Array(GroupForm, { description: 'The largest first' }),
  lookedAt: Type.Integer({ description: 'The newest failed jobs, which were looked at' }),
  more: Type.Boolean({ description: 'There are more failed jobs' }),
});

const list = operation('GET /dead-letters', {
  id: 'listDeadLetters',
  summary: `The newest ${LOOKED_AT_MAX} failed jobs, grouped by error`,
  role: 'look',
  query: Closed({ queue: Type.Optional(Queue), task: Type.Optional(Task) }),
  answers: { 200: { is: 'The groups', schema: GroupsForm } },
  run: async ({ query, ...means }) => ({ json: await deadLetters(means, query) }),
});

export function deadLetters(
  { longshore, cache }: Pick<Means, 'longshore' | 'cache'>,
  filter: RecentFilter,
): Promise<Static<typeof GroupsForm>> {
  return cache.get(JSON.stringify(['dead-letters', filter.queue, filter.task]), async () => {
    const { jobs, cursor } = await newestJobs(longshore, ['failed'], { ...filter, most: LOOKED_AT_MAX });
    const groups = groupsOf(await failuresOf(longshore, jobs));
    return { groups, lookedAt: jobs.length, more: cursor !== null };
  }) as Promise<Static<typeof GroupsForm>>;
}

function groupsOf(failures: readonly Failure[]): Static<typeof GroupForm>[] {
  const byPrint = Map.groupBy(failures, ({ fingerprint }) => fingerprint);
  return [...byPrint.values()]
    .map((group) => {
      const [newest] = group as [Failure];
      const ends = group.map(({ job }) => job.finishedAt).filter((at) => at !== null);
      return {
        fingerprint: newest.fingerprint,
        task: newest.job.task,
        pattern: newest.pattern,
        message: newest.message,
        jobs: group.length,
        queues: [...new Set(group.map(({ job }) => job.queue))].sort(),
        firstAt: ends.length === 0 ? null : Math.min(...ends),
        lastAt: ends.length === 0 ? null : Math.max(...ends),
        examples: group.slice(0, EXAMPLES_MAX).map(({ job }) => job.id),
      };
    })
    .sort((one, other) => other.jobs - one.jobs);
}

const redrive = operation('POST /dead-letters/redrive', {
  id: 'redriveDeadLetters',
  summary: `Runs failed jobs again, of one error, queue or task; looks at ${ACTED_ON_MAX} at a time`,
  role: 'act',
  body: Closed({
    fingerprint: Type.Optional(Fingerprint),
    queue: Type.Optional(Queue),
    task: Type.Optional(Task),
    dryRun: Type.Optional(Type.Boolean({ description: 'Only count' })),
    cursor: Type.Optional(Cursor),
    why: Type.Optional(Why),
  }),
  answers: {
    200: {
      is: 'What was done, or would be',
      schema: Closed({
        jobs: Type.Integer({ description: 'That were redriven, or would be' }),
        lookedAt: Type.Integer(),
        refused: Type.Integer({ description: 'No longer failed by then' }),
        cursor: Nullable(
          Type.String({ description: 'Ask again with it; null: no failed job is left to look at' }),
        ),
      }),
    },
  },
  async run({ longshore, body: { fingerprint, dryRun = false, cursor, why, ...filter }, caller }) {
    const page = await newestJobs(longshore, ['failed'], { ...filter, cursor, most: ACTED_ON_MAX });
    const failures = fingerprint === undefined ? null : await failuresOf(longshore, page.jobs);
    const ids =
      failures === null
        ? page.jobs.map(({ id }) => id)
        : failures.filter((one) => one.fingerprint === fingerprint).map(({ job }) => job.id);
    const answer = { lookedAt: page.jobs.length, cursor: page.cursor };
    if (dryRun || ids.length === 0) return { json: { ...answer, jobs: ids.length, refused: 0 } };
    const report = reportAnswer(await longshore.jobs.redrive(ids, auditOf(caller, { why })));
    return { json: { ...answer, jobs: report.done, refused: report.refused.length + report.unknown.length } };
  },
});

export const deadLettersOperations: readonly Operation[] = [list, redrive];
