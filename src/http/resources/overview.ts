import Type from 'typebox';
import { Closed, Queue, Time } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import { overviewOf } from '../overview.ts';
import { ALL } from '../samples.ts';
import { CountsForm } from './queues.ts';

/** The whole fleet at a glance, and how it was in the last hour. */
export const RatesForm = Closed({
  enqueuedPerS: Type.Number(),
  completedPerS: Type.Number(),
  failedPerS: Type.Number(),
});

export const OverviewForm = Closed({
  at: Time,
  paused: Type.Boolean({ description: 'All queues are' }),
  counts: CountsForm,
  rates: RatesForm,
  queues: Type.Array(
    Closed({ name: Type.String(), paused: Type.Boolean(), counts: CountsForm, rates: RatesForm }),
  ),
  workers: Closed({
    alive: Type.Integer(),
    dead: Type.Integer(),
    slots: Type.Integer(),
    slotsUsed: Type.Integer(),
  }),
});

const get = operation('GET /overview', {
  id: 'getOverview',
  summary: 'Jobs by state, rates of the last seconds, queues and workers; at most a second old',
  role: 'look',
  answers: { 200: { is: 'The overview', schema: OverviewForm } },
  run: async ({ samples }) => ({ json: await overviewOf(samples) }),
});

const history = operation('GET /history', {
  id: 'getHistory',
  summary: 'Jobs by state and rates over the last hour, every 10 s since this server was first asked',
  role: 'look',
  query: Closed({ queue: Type.Optional(Queue) }),
  answers: {
    200: {
      is: 'Points, oldest first',
      schema: Closed({ points: Type.Array(Closed({ at: Time, counts: CountsForm, rates: RatesForm })) }),
    },
  },
  run: async ({ samples, query: { queue = ALL } }) => {
    await samples.latest();
    return { json: { points: samples.series(queue) } };
  },
});

export const overview: readonly Operation[] = [get, history];
