import Type, { type Static } from 'typebox';
import { LongshoreError } from '../../core/errors.ts';
import type { ActionOptions, ActionReport } from '../../queue/jobs.ts';
import type { Selection } from '../../queue/selection.ts';
import type { Face } from '../face.ts';
import {
  Closed,
  GivenTime,
  Id,
  Name,
  Payload,
  PriorityGiven,
  Queue,
  Reason,
  State,
  Task,
  Why,
} from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import type { Caller } from '../roles.ts';
import { unknownJob } from './jobs.ts';

/** Acting on jobs: on one, which is refused where its state does not allow it, or on all that meet criteria. */
const JobParams = Closed({ id: Id });

const Done = Closed({
  id: Type.String(),
  done: Type.Boolean({ description: 'False: a running job was asked to stop' }),
});

const ANSWERS = {
  200: { is: 'Done', schema: Done },
  202: { is: 'A running job was asked to stop', schema: Done },
};

const cancel = operation('POST /jobs/{id}/cancel', {
  id: 'cancelJob',
  summary: 'Cancels a waiting job, or asks a running one to stop',
  role: 'act',
  params: JobParams,
  body: Reason,
  bodyOptional: true,
  answers: ANSWERS,
  run: async ({ longshore, params: { id }, body, caller }) =>
    oneDone(id, 'cancel', await longshore.jobs.cancel(id, auditOf(caller, body))),
});

const redrive = operation('POST /jobs/{id}/redrive', {
  id: 'redriveJob',
  summary: 'Runs a failed or cancelled job again, with fresh attempts',
  role: 'act',
  params: JobParams,
  body: Reason,
  bodyOptional: true,
  answers: ANSWERS,
  run: async ({ longshore, params: { id }, body, caller }) =>
    oneDone(id, 'redrive', await longshore.jobs.redrive(id, auditOf(caller, body))),
});

const resolve = operation('POST /jobs/{id}/resolve', {
  id: 'resolveJob',
  summary: 'Counts a failed job as completed, with this result',
  role: 'act',
  params: JobParams,
  body: Closed({ result: Type.Optional(Payload), why: Type.Optional(Why) }),
  bodyOptional: true,
  answers: ANSWERS,
  run: async ({ longshore, params: { id }, body, caller }) =>
    oneDone(id, 'resolve', await longshore.jobs.resolve(id, body.result, auditOf(caller, body))),
});

const reschedule = operation('POST /jobs/{id}/reschedule', {
  id: 'rescheduleJob',
  summary: 'Gives a waiting job another time; a past one makes it ready now',
  role: 'act',
  params: JobParams,
  body: Closed({ at: GivenTime, why: Type.Optional(Why) }),
  answers: ANSWERS,
  run: async ({ longshore, params: { id }, body, caller }) =>
    oneDone(id, 'reschedule', await longshore.jobs.reschedule(id, body.at, auditOf(caller, body))),
});

const reprioritize = operation('POST /jobs/{id}/reprioritize', {
  id: 'reprioritizeJob',
  summary: 'Gives a waiting job another priority',
  role: 'act',
  params: JobParams,
  body: Closed({ priority: PriorityGiven, why: Type.Optional(Why) }),
  answers: ANSWERS,
  run: async ({ longshore, params: { id }, body, caller }) =>
    oneDone(id, 'reprioritize', await longshore.jobs.reprioritize(id, body.priority, auditOf(caller, body))),
});

const edit = operation('PUT /jobs/{id}/input', {
  id: 'editJob',
  summary: 'Gives a waiting job another input, checked where this server has its task',
  role: 'act',
  params: JobParams,
  body: Closed({ input: Payload, why: Type.Optional(Why) }),
  answers: ANSWERS,
  run: async ({ longshore, settings, params: { id }, body, caller }) => {
    const job = await longshore.jobs.get(id);
    const task = settings.tasks.find(({ name }) => name === job?.task);
    const options = { ...auditOf(caller, body), ...(task === undefined ? {} : { task }) };
    return oneDone(id, 'edit', await longshore.jobs.edit(id, body.input, options));
  },
});

const signal = operation('POST /jobs/{id}/signals', {
  id: 'signalJob',
  summary: 'Sends a signal to a job whose handler waits for it, or will',
  role: 'act',
  params: JobParams,
  body: Closed({ name: Name('The name of a signal'), payload: Type.Optional(Payload) }),
  answers: { 202: { is: 'It is stored', schema: Done } },
  run: async ({ longshore, params: { id }, body: { name, payload } }) => {
    await longshore.jobs.signal(id, name, payload);
    return { json: { id, done: true }, status: 202 };
  },
});

const remove = operation('DELETE /jobs/{id}', {
  id: 'removeJob',
  summary: 'Deletes a job that is not running, with all that was kept of it',
  role: 'administer',
  params: JobParams,
  answers: ANSWERS,
  run: async ({ longshore, params: { id }, caller }) =>
    oneDone(id, 'remove', await longshore.jobs.remove(id, auditOf(caller, {}))),
});

const IDS_MAX = 10_000;

const BulkGiven = Closed({
  action: Type.Enum(['cancel', 'redrive', 'resolve', 'remove']),
  ids: Type.Optional(Type.Array(Id, { minItems: 1, maxItems: IDS_MAX })),
  queue: Type.Optional(Queue),
  task: Type.Optional(Task),
  state: Type.Optional(State),
  all: Type.Optional(Type.Literal(true)),
  why: Type.Optional(Why),
});

const Report = Closed({
  done: Type.Integer({ description: 'Jobs the action was carried out on' }),
  requested: Type.Integer({ description: 'Running jobs that were asked to stop' }),
  refused: Type.Array(Closed({ id: Type.String(), state: State }), {
    description: 'Jobs whose state does not allow it, the first 1,000',
  }),
  unknown: Type.Array(Type.String(), { description: 'Ids of no job, the first 1,000' }),
});

const bulk = operation('POST /jobs/actions', {
  id: 'actOnJobs',
  summary: 'Acts on the jobs of these ids, or on all that meet the criteria and whose state allows it',
  role: 'administer',
  body: BulkGiven,
  answers: { 200: { is: 'What was done', schema: Report } },
  run: async ({ longshore, body: { action, why, ...selection }, caller }) => ({
    json: reportAnswer(await actOn(longshore, action, selectionOf(selection), auditOf(caller, { why }))),
  }),
});

function actOn(
  { jobs }: Face,
  action: Static<typeof BulkGiven>['action'],
  selection: Selection,
  audit: ActionOptions,
): Promise<ActionReport> {
  return action === 'resolve' ? jobs.resolve(selection, undefined, audit) : jobs[action](selection, audit);
}

/** Throws OPTION_INVALID: nothing that was not said selects a job. */
function selectionOf({ ids, ...criteria }: Omit<Static<typeof BulkGiven>, 'action' | 'why'>): Selection {
  const isGiven = Object.keys(criteria).length > 0;
  if ((ids === undefined) === isGiven) return ids ?? (criteria as Selection);
  throw new LongshoreError(
    'OPTION_INVALID',
    'The body must say which jobs: either ids, or criteria (queue, task, state, or all: true).',
  );
}

const LISTED_MAX = 1_000;

export function reportAnswer({ done, requested, refused, unknown }: ActionReport): Static<typeof Report> {
  return {
    done: done.length,
    requested: requested.length,
    refused: refused.slice(0, LISTED_MAX).map((one) => ({ ...one })),
    unknown: unknown.slice(0, LISTED_MAX),
  };
}

/** Throws JOB_UNKNOWN, JOB_STATE_REFUSED. */
function oneDone(id: string, action: string, { done, requested, refused }: ActionReport) {
  if (done.length > 0) return { json: { id, done: true } };
  if (requested.length > 0) return { json: { id, done: false }, status: 202 };
  const [one] = refused;
  if (one === undefined) throw unknownJob(id);
  throw new LongshoreError(
    'JOB_STATE_REFUSED',
    `Job ${id} is ${one.state}, which does not allow '${action}'.`,
    {
      details: { id, state: one.state, action },
    },
  );
}

export function auditOf({ name }: Caller, { why }: { readonly why?: string | undefined }): ActionOptions {
  return { by: name, ...(why === undefined ? {} : { why }) };
}

export const jobActions: readonly Operation[] = [
  cancel,
  redrive,
  resolve,
  reschedule,
  reprioritize,
  edit,
  signal,
  remove,
  bulk,
];
