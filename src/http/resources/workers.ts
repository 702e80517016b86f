import Type, { type Static } from 'typebox';
import { LongshoreError } from '../../core/errors.ts';
import type { WorkerRecord } from '../../store/store.ts';
import { Closed, Id, Time } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';

/** Workers of every process, with their slots and where they run their tasks. */
export const WorkerForm = Closed({
  id: Type.String(),
  host: Type.String(),
  pid: Type.Integer(),
  version: Type.String(),
  tasks: Type.Array(Type.String()),
  queues: Type.Array(Type.String()),
  startedAt: Time,
  seenAt: Time,
  alive: Type.Boolean({ description: 'False once its lease time passed without a sign of life' }),
  running: Type.Integer({ description: 'Jobs it holds' }),
  slots: Type.Integer({ description: 'Jobs it may run at a time; the tuner may change it' }),
  slotsUsed: Type.Integer(),
  profiles: Type.Array(
    Closed({
      task: Type.String(),
      lane: Type.String(),
      reason: Type.String(),
      samples: Type.Integer(),
      busyMs: Type.Number(),
      wallMs: Type.Number(),
    }),
    { description: 'Where its tasks run, and why' },
  ),
});

const list = operation('GET /workers', {
  id: 'listWorkers',
  summary: 'Workers of every process, dead ones for an hour',
  role: 'look',
  answers: { 200: { is: 'The workers', schema: Closed({ workers: Type.Array(WorkerForm) }) } },
  run: async ({ samples }) => ({ json: { workers: (await samples.latest()).workers.map(workerAnswer) } }),
});

const get = operation('GET /workers/{id}', {
  id: 'getWorker',
  summary: 'One worker',
  role: 'look',
  params: Closed({ id: Id }),
  answers: { 200: { is: 'The worker', schema: WorkerForm } },
  run: async ({ longshore, params: { id } }) => {
    const worker = (await longshore.workers()).find((one) => one.id === id);
    if (worker === undefined)
      throw new LongshoreError(
        'WORKER_UNKNOWN',
        `There is no worker ${JSON.stringify(id)}: it never was, or left.`,
        {
          details: { id },
        },
      );
    return { json: workerAnswer(worker) };
  },
});

const history = operation('GET /history/workers', {
  id: 'getWorkerHistory',
  summary: 'Slots of the workers over the last hour, every 10 s since this server was first asked',
  role: 'look',
  answers: {
    200: {
      is: 'Points of each worker, oldest first',
      schema: Closed({
        workers: Type.Array(
          Closed({
            id: Type.String(),
            points: Type.Array(
              Closed({
                at: Time,
                slots: Type.Integer({ description: 'Jobs it might run at a time; the tuner changes it' }),
                slotsUsed: Type.Integer(),
              }),
            ),
          }),
        ),
      }),
    },
  },
  run: async ({ samples }) => {
    await samples.latest();
    return { json: { workers: samples.slots.all() } };
  },
});

export function workerAnswer(worker: WorkerRecord): Static<typeof WorkerForm> {
  const {
    id,
    host,
    pid,
    version,
    tasks,
    queues,
    startedAt,
    seenAt,
    alive,
    running,
    slots,
    slotsUsed,
    profiles,
  } = worker;
  return {
    ...{ id, host, pid, version, startedAt, seenAt, alive, running, slots, slotsUsed },
    tasks: [...tasks],
    queues: [...queues],
    profiles: profiles.map(({ task, lane, reason, samples, busyMs, wallMs }) => ({
      ...{ task, lane, reason, samples, busyMs, wallMs },
    })),
  };
}

export const workers: readonly Operation[] = [list, get, history];
