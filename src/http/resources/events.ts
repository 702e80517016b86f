import Type from 'typebox';
import { FEED_NAMES } from '../feed.ts';
import { Closed, Id, Name, OneOrMore, Queue, Task } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';

/** Events as they happen. */
const stream = operation('GET /events', {
  id: 'streamEvents',
  summary:
    'Events, as server-sent events: about jobs, runs, schedules and queues of all processes, others of this one; the overview every 2 s',
  role: 'look',
  query: Closed({
    names: Type.Optional(
      OneOrMore(Type.Enum([...FEED_NAMES]), 'Names, with commas; default: all but the noisiest'),
    ),
    queue: Type.Optional(Queue),
    task: Type.Optional(Task),
    id: Type.Optional(Id),
    run: Type.Optional(Name('The id of a run')),
  }),
  answers: { 200: { is: 'The events', schema: null, media: 'text/event-stream' } },
  run: async ({ feed, query: { names, ...members } }) =>
    new Response(feed.open({ ...(names === undefined ? {} : { names }), members }), {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      },
    }),
});

export const events: readonly Operation[] = [stream];
