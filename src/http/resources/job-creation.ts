import Type, { type Static } from 'typebox';
import type { EnqueueOptions } from '../../queue/enqueue.ts';
import type { JobHandle } from '../../queue/job-handle.ts';
import {
  Closed,
  GivenTime,
  MetaGiven,
  Ms,
  Name,
  notBoth,
  Payload,
  PositiveMs,
  PriorityGiven,
  Queue,
  Task,
} from '../forms.ts';
import { IDEMPOTENCY_KEY, IdempotencyHeader, idsOf, requireSame } from '../idempotency.ts';
import { type Call, type Means, type Operation, operation } from '../operation.ts';

/** Making jobs. The input is checked where the option `tasks` has the task. */
const BackoffGiven = Type.Union([
  Ms,
  Closed({
    type: Type.Enum(['fixed', 'linear', 'exponential', 'fibonacci']),
    delayMs: Ms,
    maxMs: Type.Optional(Ms),
    jitter: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  }),
]);

const UniqueGiven = Closed({
  key: Type.Optional(Name('Default: the input itself', 600)),
  mode: Type.Optional(Type.Enum(['existing', 'reject', 'replace', 'debounce', 'throttle'])),
  scope: Type.Optional(Type.Enum(['task', 'queue', 'store'])),
  periodMs: Type.Optional(Ms),
  maxWaitMs: Type.Optional(Ms),
});

const JOB = {
  input: Type.Optional(Payload),
  queue: Type.Optional(Queue),
  priority: Type.Optional(PriorityGiven),
  delayMs: Type.Optional(Ms),
  at: Type.Optional(GivenTime),
  attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  backoff: Type.Optional(BackoffGiven),
  timeoutMs: Type.Optional(PositiveMs),
  awaited: Type.Optional(
    Type.Boolean({ description: 'The caller waits for the result: for tracers, docs/telemetry.md' }),
  ),
  meta: Type.Optional(MetaGiven),
  unique: Type.Optional(UniqueGiven),
  key: Type.Optional(Name('Whose turn the job takes in its queue')),
};

const AT_OR_DELAY = notBoth('at', 'delayMs');
const JobGiven = Closed({ task: Task, ...JOB }, AT_OR_DELAY);
const BATCH_MAX = 10_000;
const BatchGiven = Closed({
  task: Task,
  jobs: Type.Array(Closed(JOB, AT_OR_DELAY), { minItems: 1, maxItems: BATCH_MAX }),
});

const Made = Closed({
  id: Type.String(),
  status: Type.Enum(['created', 'existing', 'replaced'], {
    description: '`existing`: the holder of the unique key, or a repeat with the same Idempotency-Key',
  }),
});

const create = operation('POST /jobs', {
  id: 'createJob',
  summary: 'Adds a job',
  role: 'act',
  headers: IdempotencyHeader,
  body: JobGiven,
  answers: {
    201: { is: 'The job was added', schema: Made },
    200: { is: 'Nothing was added, or a waiting job took the new values', schema: Made },
  },
  async run({ longshore, settings, body: { task, input, ...options }, base, ...call }) {
    const key = call.headers[IDEMPOTENCY_KEY];
    const id = key === undefined ? undefined : idsOf(key, call.caller.name, 'job')(0);
    const given = id === undefined ? (options as EnqueueOptions) : ({ ...options, id } as EnqueueOptions);
    const handle = await longshore.enqueue(taskOf(task, settings), input, given);
    if (key !== undefined && id === handle.id && handle.status === 'existing')
      await requireSameJob({ longshore, key }, handle, { task, input });
    const location = `${base}/jobs/${handle.id}`;
    return { json: made(handle), status: handle.status === 'created' ? 201 : 200, headers: { location } };
  },
});

const createMany = operation('POST /jobs/batch', {
  id: 'createJobs',
  summary: 'Adds jobs of one task, all or none',
  role: 'act',
  headers: IdempotencyHeader,
  body: BatchGiven,
  answers: { 201: { is: 'What became of each, in order', schema: Closed({ jobs: Type.Array(Made) }) } },
  async run({ longshore, settings, body: { task, jobs }, ...call }) {
    const key = call.headers[IDEMPOTENCY_KEY];
    const idOf = key === undefined ? null : idsOf(key, call.caller.name, 'batch');
    const handles = await longshore.enqueueMany(
      taskOf(task, settings),
      jobs.map(({ input }) => input),
      (_, index) => optionsOf(jobs[index] as (typeof jobs)[number], idOf?.(index)),
    );
    if (key !== undefined)
      for (const [index, handle] of handles.entries())
        if (handle.status === 'existing' && handle.id === idOf?.(index))
          await requireSameJob({ longshore, key }, handle, { task, input: jobs[index]?.input });
    return { json: { jobs: handles.map(made) }, status: 201 };
  },
});

function optionsOf(
  { input: _, ...options }: Static<typeof BatchGiven>['jobs'][number],
  id: string | undefined,
) {
  return (id === undefined ? options : { ...options, id }) as EnqueueOptions;
}

/** The task itself, where its code is here. */
export function taskOf(name: string, { tasks }: Means['settings']) {
  return tasks.find((task) => task.name === name) ?? name;
}

async function requireSameJob(
  { longshore, key }: { readonly longshore: Call<never, never, never>['longshore']; readonly key: string },
  { id }: JobHandle,
  asked: { readonly task: string; readonly input: unknown },
): Promise<void> {
  const job = await longshore.jobs.get(id);
  if (job !== null) requireSame(key, { task: job.task, input: job.input }, asked);
}

function made({ id, status }: JobHandle): Static<typeof Made> {
  return { id, status };
}

export const jobsMade: readonly Operation[] = [create, createMany];
