import Type, { type Static } from 'typebox';
import { LongshoreError } from '../../core/errors.ts';
import { parsePart } from '../../core/flow/names.ts';
import { PHASES } from '../../core/trace.ts';
import type { Trace } from '../../flow/trace.ts';
import { Closed, Name, Nullable, State, Time } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';

/** Where time went, from what the store keeps: no collector is asked. */
const Span = Type.Number({ description: 'Milliseconds' });

export const TraceForm = Closed({
  id: Type.String({ description: 'As asked for' }),
  kind: Type.Enum(['job', 'run', 'correlation']),
  correlationId: Type.String(),
  startedAt: Time,
  endedAt: Nullable(Time),
  totalMs: Span,
  runs: Type.Array(
    Closed({
      id: Type.String(),
      flow: Type.String(),
      state: Type.String(),
      startedAt: Time,
      endedAt: Nullable(Time),
    }),
  ),
  jobs: Type.Array(
    Closed({
      id: Type.String(),
      run: Nullable(Type.String()),
      task: Type.String(),
      queue: Type.String(),
      state: State,
      attempt: Type.Integer(),
      step: Nullable(Type.String()),
      item: Nullable(Type.Integer({ description: 'Of a fan-out: which of its items, from 0' })),
      isUndo: Type.Boolean({ description: 'It undoes its step' }),
      worker: Nullable(Type.String()),
      phases: Type.Array(Closed({ name: Type.Enum([...PHASES]), from: Time, to: Time }), {
        description: 'In the order of time, without gaps',
      }),
    }),
    { description: 'In the order of time, at most 1,000' },
  ),
  more: Type.Boolean({ description: 'There are more jobs, which are left out' }),
  sum: Closed({
    path: Type.Array(Type.String(), { description: 'Ids of the jobs that the end waited for' }),
    phases: Type.Partial(Closed(Object.fromEntries(PHASES.map((name) => [name, Span])))),
    otherMs: Span,
    totalMs: Span,
  }),
  notStored: Type.Array(Type.String(), { description: 'What is not known, and why' }),
});

const get = operation('GET /traces/{id}', {
  id: 'getTrace',
  summary: 'Where the time of a job, a run, or all jobs of a correlation id went',
  role: 'look',
  params: Closed({ id: Name('A correlation id, or the id of a run or a job') }),
  answers: { 200: { is: 'The trace', schema: TraceForm } },
  run: async ({ longshore, params: { id } }) => {
    const trace = await longshore.trace(id);
    if (trace === null) {
      const message = `No job, run or correlation id ${JSON.stringify(id)} is stored: it never was, or is kept no longer.`;
      throw new LongshoreError('JOB_UNKNOWN', message, { details: { id } });
    }
    return { json: traceAnswer(trace) };
  },
});

function traceAnswer({ jobs, ...trace }: Trace): Static<typeof TraceForm> {
  return {
    ...trace,
    jobs: jobs.map(({ id, run, task, queue, state, attempt, step, part, worker, phases }) => {
      const of = part === null ? null : parsePart(part);
      const [item, isUndo] = [of?.kind === 'i' ? of.index : null, of?.kind === 'u'];
      return { id, run, task, queue, state, attempt, step, item, isUndo, worker, phases };
    }),
  } as Static<typeof TraceForm>;
}

export const traces: readonly Operation[] = [get];
