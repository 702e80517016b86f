import Type from 'typebox';
import { LongshoreError } from '../../core/errors.ts';
import {
  Closed,
  Cursor,
  Id,
  Limit,
  MetaGiven,
  Name,
  Nullable,
  notBoth,
  OneOrMore,
  Payload,
  ReasonForm,
} from '../forms.ts';
import { IDEMPOTENCY_KEY, IdempotencyHeader, idsOf, requireSame } from '../idempotency.ts';
import { type Means, type Operation, operation } from '../operation.ts';
import { RunForm, RunState, RunSummaryForm, runAnswer, runSummary } from './run-view.ts';

/** Runs of flows: start, look, await. */
const PAGE_MAX = 200;
const PAGE_DEFAULT = 50;
const WAIT_MS_MAX = 60_000;

export const RunParams = Closed({ id: Id });

const list = operation('GET /runs', {
  id: 'listRuns',
  summary: 'Runs of flows, the newest first',
  role: 'look',
  query: Closed({
    flow: Type.Optional(Name('The name of a flow')),
    state: Type.Optional(OneOrMore(RunState, 'States, with commas')),
    limit: Type.Optional(Limit(PAGE_MAX, PAGE_DEFAULT)),
    cursor: Type.Optional(Cursor),
  }),
  answers: {
    200: {
      is: 'A page',
      schema: Closed({ runs: Type.Array(RunSummaryForm), cursor: Nullable(Type.String()) }),
    },
  },
  run: async ({ longshore, query }) => {
    const { runs, cursor } = await longshore.flows.list(query);
    return { json: { runs: runs.map(runSummary), cursor } };
  },
});

const get = operation('GET /runs/{id}', {
  id: 'getRun',
  summary: 'A run with its steps: what each waits for, its job, and what was done by hand',
  role: 'look',
  params: RunParams,
  answers: { 200: { is: 'The run', schema: RunForm } },
  run: async ({ longshore, params: { id } }) => {
    const run = await longshore.flows.get(id);
    if (run === null) throw unknownRun(id);
    return { json: runAnswer(run) };
  },
});

const Started = Closed({
  id: Type.String(),
  status: Type.Enum(['created', 'existing'], { description: '`existing`: there was a run of this id' }),
});

const start = operation('POST /runs', {
  id: 'startRun',
  summary: 'Starts a run of a flow that this server knows',
  role: 'act',
  headers: IdempotencyHeader,
  body: Closed(
    {
      flow: Name('The name of a flow'),
      input: Type.Optional(Payload),
      id: Type.Optional(
        Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f>]*$' }),
      ),
      identity: Type.Optional(Type.Enum(['new', 'strict'])),
      meta: Type.Optional(MetaGiven),
    },
    notBoth('id', 'identity'),
  ),
  answers: {
    201: { is: 'The run was started', schema: Started },
    200: { is: 'There was a run of this id; nothing was started', schema: Started },
  },
  async run({ longshore, settings, body: { flow: name, input, ...options }, headers, caller, base }) {
    const flow = flowOf(name, settings);
    const key = headers[IDEMPOTENCY_KEY];
    const isKeyed = key !== undefined && options.id === undefined && options.identity !== 'strict';
    const given = isKeyed ? { ...options, id: idsOf(key, caller.name, 'run')(0) } : options;
    const { id, status } = await longshore.flows.start(flow, input, given as object);
    if (isKeyed && status === 'existing') {
      const there = await longshore.flows.get(id);
      if (there !== null)
        requireSame(key, { flow: there.flow, input: there.input }, { flow: name, input: input ?? null });
    }
    const headersOut = { location: `${base}/runs/${encodeURIComponent(id)}` };
    return { json: { id, status }, status: status === 'created' ? 201 : 200, headers: headersOut };
  },
});

const ResultForm = Closed({
  id: Type.String(),
  state: RunState,
  reason: Nullable(Type.String()),
  result: Payload,
});

const result = operation('GET /runs/{id}/result', {
  id: 'awaitRun',
  summary: 'How a run ended; waits for that by long poll',
  role: 'look',
  params: RunParams,
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
      await longshore.flows
        .handle(id)
        .ended({ timeoutMs: waitMs, signal })
        .catch((error: unknown) => {
          if (!(error instanceof LongshoreError) || error.code !== 'RESULT_TIMEOUT') throw error;
        });
    const run = await longshore.flows.get(id);
    if (run === null) throw unknownRun(id);
    const { state, reason, endedAt, result } = runAnswer(run);
    return { json: { id, state, reason, result }, status: endedAt === null ? 202 : 200 };
  },
});

const why = operation('GET /runs/{id}/steps/{step}/why', {
  id: 'whyStep',
  summary: 'Why a step of a run does not run',
  role: 'look',
  params: Closed({ id: Id, step: Name('The name of a step') }),
  answers: {
    200: {
      is: 'The reasons',
      schema: Closed({
        run: Type.String(),
        step: Type.String(),
        state: Type.String(),
        job: Nullable(Type.String()),
        reasons: Type.Array(ReasonForm),
      }),
    },
  },
  run: async ({ longshore, params: { id, step } }) => {
    const found = await longshore.flows.why(id, step);
    if (found === null) throw unknownRun(id);
    return { json: found };
  },
});

export const runs: readonly Operation[] = [list, get, start, result, why];

export function flowOf(name: string, { flows }: Means['settings']) {
  const flow = flows.find((one) => one.name === name);
  if (flow !== undefined) return flow;
  const known = flows.map((one) => one.name).join(', ');
  throw new LongshoreError(
    'FLOW_UNKNOWN',
    `This server does not know the flow ${JSON.stringify(name)}; ${known === '' ? 'it knows none' : `it knows ${known}`}. Give it the flow (option flows, or longshore serve --tasks).`,
    { details: { flow: name } },
  );
}

export function unknownRun(id: string): LongshoreError {
  return new LongshoreError(
    'RUN_UNKNOWN',
    `There is no run ${JSON.stringify(id)}: it never was, or is kept no longer.`,
    {
      details: { id },
    },
  );
}
