import Type from 'typebox';
import { LongshoreError } from '../../core/errors.ts';
import { isTerminal } from '../../core/job-state.ts';
import {
  AttemptErrorForm,
  Closed,
  Cursor,
  GivenTime,
  Id,
  Limit,
  Name,
  Nullable,
  OneOrMore,
  Payload,
  Queue,
  ReasonForm,
  State,
  Task,
} from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import { searchJobs } from './job-search.ts';
import { AuditForm, JobForm, JobItemForm, jobAnswer, LogLineForm } from './job-view.ts';

/** Looking at jobs. */
export const PAGE_MAX = 200;
const PAGE_DEFAULT = 50;
const WAIT_MS_MAX = 60_000;

const JobParams = Closed({ id: Id });

const list = operation('GET /jobs', {
  id: 'listJobs',
  summary: 'Jobs, the newest first; those of a run in the order of its steps',
  role: 'look',
  query: Closed({
    id: Type.Optional(OneOrMore(Id, 'Ids, with commas; other criteria do not count then')),
    state: Type.Optional(OneOrMore(State, 'States, with commas')),
    queue: Type.Optional(Queue),
    task: Type.Optional(Task),
    correlationId: Type.Optional(Name('What ties jobs to what caused them')),
    tag: Type.Optional(Name('A tag', 100)),
    run: Type.Optional(Name('A run: jobs of its steps, in their order', 300)),
    key: Type.Optional(Name('Whose turn the job takes in its queue')),
    createdAfter: Type.Optional(GivenTime),
    createdBefore: Type.Optional(GivenTime),
    payloads: Type.Optional(Type.Boolean({ description: 'With input, result and progress; default false' })),
    limit: Type.Optional(Limit(PAGE_MAX, PAGE_DEFAULT)),
    cursor: Type.Optional(Cursor),
  }),
  answers: {
    200: {
      is: 'A page; with criteria that no index serves it may be short, and the cursor goes on',
      schema: Closed({ jobs: Type.Array(JobItemForm), cursor: Nullable(Type.String()) }),
    },
  },
  run: async ({ longshore, query }) => ({
    json: await searchJobs(longshore, { ...query, limit: query.limit ?? PAGE_DEFAULT }),
  }),
});

const get = operation('GET /jobs/{id}', {
  id: 'getJob',
  summary: 'A job with its attempts, log and audit trail',
  role: 'look',
  params: JobParams,
  answers: { 200: { is: 'The job', schema: JobForm } },
  run: async ({ longshore, params }) => {
    const job = await longshore.jobs.get(params.id);
    if (job === null) throw unknownJob(params.id);
    return { json: jobAnswer(job) };
  },
});

const log = operation('GET /jobs/{id}/log', {
  id: 'getJobLog',
  summary: 'What handlers logged, oldest first, the last 1,000 lines',
  role: 'look',
  params: JobParams,
  answers: {
    200: { is: 'The log', schema: Closed({ lines: Type.Array(LogLineForm), omitted: Type.Integer() }) },
  },
  run: async ({ longshore, params }) => {
    const job = await longshore.jobs.get(params.id);
    if (job === null) throw unknownJob(params.id);
    const { logs, logsOmitted } = jobAnswer(job);
    return { json: { lines: logs, omitted: logsOmitted } };
  },
});

const attempts = operation('GET /jobs/{id}/attempts', {
  id: 'getJobAttempts',
  summary: 'Errors of attempts, and what was done by hand',
  role: 'look',
  params: JobParams,
  answers: {
    200: {
      is: 'The attempts that failed',
      schema: Closed({
        attempt: Type.Integer(),
        attemptsMax: Type.Integer(),
        errors: Type.Array(AttemptErrorForm),
        omitted: Type.Integer(),
        audit: Type.Array(AuditForm),
      }),
    },
  },
  run: async ({ longshore, params }) => {
    const job = await longshore.jobs.get(params.id);
    if (job === null) throw unknownJob(params.id);
    const { attempt, attemptsMax, errors, errorsOmitted, audit } = jobAnswer(job);
    return { json: { attempt, attemptsMax, errors, omitted: errorsOmitted, audit } };
  },
});

const ResultForm = Closed({
  id: Type.String(),
  state: State,
  result: Payload,
  error: Nullable(AttemptErrorForm),
});

const result = operation('GET /jobs/{id}/result', {
  id: 'awaitJob',
  summary: 'How a job ended; waits for that by long poll',
  role: 'look',
  params: JobParams,
  query: Closed({
    waitMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: WAIT_MS_MAX, description: 'How long to wait; default 0' }),
    ),
  }),
  answers: {
    200: { is: 'It has ended', schema: ResultForm },
    202: { is: 'It has not ended yet: ask again', schema: ResultForm },
  },
  run: async ({ longshore, params: { id }, query: { waitMs = 0 }, signal }) => {
    if (waitMs > 0)
      await longshore.jobs
        .handle(id)
        .ended({ timeoutMs: waitMs, signal })
        .catch((error: unknown) => {
          if (!(error instanceof LongshoreError) || error.code !== 'RESULT_TIMEOUT') throw error;
        });
    const job = await longshore.jobs.get(id);
    if (job === null) throw unknownJob(id);
    const { state, result, errors } = jobAnswer(job);
    const error = state === 'failed' ? (errors.at(-1) ?? null) : null;
    return { json: { id, state, result, error }, status: isTerminal(state) ? 200 : 202 };
  },
});

const why = operation('GET /jobs/{id}/why', {
  id: 'whyJob',
  summary: 'Why a job does not run',
  role: 'look',
  params: JobParams,
  answers: {
    200: {
      is: 'The reasons; what somebody must act on comes first',
      schema: Closed({ id: Type.String(), state: State, reasons: Type.Array(ReasonForm) }),
    },
  },
  run: async ({ longshore, params: { id } }) => {
    const found = await longshore.jobs.why(id);
    if (found === null) throw unknownJob(id);
    return { json: found };
  },
});

export const jobs: readonly Operation[] = [list, get, log, attempts, result, why];

export function unknownJob(id: string): LongshoreError {
  return new LongshoreError(
    'JOB_UNKNOWN',
    `There is no job ${JSON.stringify(id)}: it never was, was removed, or its queue's retention deleted it.`,
    { details: { id } },
  );
}
