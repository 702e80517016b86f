import Type, { type Static } from 'typebox';
import { LongshoreError } from '../../core/errors.ts';
import { ALL_QUEUES } from '../../core/job.ts';
import { JOB_STATES } from '../../core/job-state.ts';
import type { LimitsChange } from '../../core/limits.ts';
import type { QueueRecord, QueueSettings } from '../../store/store.ts';
import { Closed, Name, Nullable, PositiveMs, Time } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';

/** Queues: what they hold, whether they are paused, and their limits. */
const RateForm = Closed({
  count: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  perMs: PositiveMs,
});
const Some = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

const KeepForm = Closed({
  ageMs: Nullable(Type.Number()),
  count: Nullable(Type.Number()),
  bytes: Type.Optional(Nullable(Type.Number())),
});

const SETTINGS = {
  name: Type.String(),
  pausedAt: Nullable(Time),
  retention: Closed({ completed: KeepForm, failed: KeepForm, cancelled: KeepForm }),
  limits: Closed({
    concurrency: Nullable(Type.Integer()),
    rate: Nullable(RateForm),
    perKey: Closed({
      concurrency: Nullable(Type.Integer()),
      ordered: Type.Boolean(),
      rate: Nullable(RateForm),
    }),
  }),
  ageing: Nullable(Closed({ everyMs: Type.Number(), floor: Type.Integer() })),
};

const SettingsForm = Closed(SETTINGS);

export const CountsForm = Closed(
  Object.fromEntries(JOB_STATES.map((state) => [state, Type.Integer()])) as Record<
    (typeof JOB_STATES)[number],
    Type.TInteger
  >,
);

export const QueueForm = Closed({ ...SETTINGS, counts: CountsForm });

const QueueName = Name('The name of a queue, or `*` for all of them');
const QueueParams = Closed({ queue: QueueName });

const list = operation('GET /queues', {
  id: 'listQueues',
  summary: 'Every queue that has settings or jobs, with its jobs by state',
  role: 'look',
  answers: { 200: { is: 'The queues', schema: Closed({ queues: Type.Array(QueueForm) }) } },
  run: async ({ samples }) => ({ json: { queues: (await samples.latest()).queues.map(queueAnswer) } }),
});

const get = operation('GET /queues/{queue}', {
  id: 'getQueue',
  summary: 'A queue with its jobs by state, and its limits',
  role: 'look',
  params: QueueParams,
  answers: { 200: { is: 'The queue', schema: QueueForm } },
  run: async ({ samples, params: { queue } }) => {
    const found = (await samples.latest()).queues.find(({ name }) => name === queue);
    if (found === undefined) throw unknownQueue(queue);
    return { json: queueAnswer(found) };
  },
});

const pause = operation('POST /queues/{queue}/pause', {
  id: 'pauseQueue',
  summary: 'Claims nothing more from the queue, on every machine; running jobs go on',
  role: 'act',
  params: QueueParams,
  answers: { 200: { is: 'Its settings', schema: SettingsForm } },
  run: async ({ longshore, params: { queue } }) => ({
    json: settingsAnswer(await longshore.queues.pause(queue)),
  }),
});

const resume = operation('POST /queues/{queue}/resume', {
  id: 'resumeQueue',
  summary: 'Claims from the queue again',
  role: 'act',
  params: QueueParams,
  answers: { 200: { is: 'Its settings', schema: SettingsForm } },
  run: async ({ longshore, params: { queue } }) => ({
    json: settingsAnswer(await longshore.queues.resume(queue)),
  }),
});

const LimitsGiven = Closed({
  concurrency: Type.Optional(Nullable(Some)),
  rate: Type.Optional(Nullable(RateForm)),
  perKey: Type.Optional(
    Closed({
      concurrency: Type.Optional(Nullable(Some)),
      ordered: Type.Optional(Type.Boolean()),
      rate: Type.Optional(Nullable(RateForm)),
    }),
  ),
});

const setLimits = operation('PATCH /queues/{queue}/limits', {
  id: 'setQueueLimits',
  summary:
    'How many jobs of the queue run and start, in all and for each key; what is not named stays, null lifts a limit',
  role: 'administer',
  params: QueueParams,
  body: LimitsGiven,
  answers: { 200: { is: 'Its settings', schema: SettingsForm } },
  run: async ({ longshore, params: { queue }, body }) => ({
    json: settingsAnswer(await longshore.queues.setLimits(queue, body as LimitsChange)),
  }),
});

const drain = operation('POST /queues/{queue}/drain', {
  id: 'drainQueue',
  summary: 'Deletes the waiting jobs of the queue',
  role: 'administer',
  params: QueueParams,
  answers: { 200: { is: 'How many', schema: Closed({ removed: Type.Integer() }) } },
  run: async ({ longshore, params: { queue } }) => ({
    json: { removed: await longshore.queues.drain(queue) },
  }),
});

function settingsAnswer({
  name,
  pausedAt,
  retention,
  limits,
  ageing,
}: QueueSettings): Static<typeof SettingsForm> {
  return {
    name,
    pausedAt,
    retention,
    limits,
    ageing: ageing === null ? null : { everyMs: ageing.everyMs, floor: ageing.floor },
  };
}

export function queueAnswer(queue: QueueRecord): Static<typeof QueueForm> {
  return { ...settingsAnswer(queue), counts: { ...queue.counts } };
}

function unknownQueue(queue: string): LongshoreError {
  const all =
    queue === ALL_QUEUES ? 'The fleet was never paused as a whole' : 'It has no jobs and no settings';
  return new LongshoreError('QUEUE_UNKNOWN', `There is no queue ${JSON.stringify(queue)}. ${all}.`, {
    details: { queue },
  });
}

export const queues: readonly Operation[] = [list, get, pause, resume, setLimits, drain];
