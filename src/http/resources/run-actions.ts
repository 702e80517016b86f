import Type from 'typebox';
import { Closed, Id, Name, Payload, Reason, Why } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';
import { auditOf } from './job-actions.ts';
import { RunParams } from './runs.ts';

/** What a person does to a run by hand. */
const StepParams = Closed({ id: Id, step: Name('The name of a step') });
const Done = Closed({ id: Type.String(), done: Type.Literal(true) });
const ANSWERS = { 200: { is: 'Done', schema: Done } };

const cancel = operation('POST /runs/{id}/cancel', {
  id: 'cancelRun',
  summary: 'Stops a run; with `compensate`, what completed is undone',
  role: 'act',
  params: RunParams,
  body: Closed({ compensate: Type.Optional(Type.Boolean()), why: Type.Optional(Why) }),
  bodyOptional: true,
  answers: ANSWERS,
  run: async ({ longshore, params: { id }, body, caller }) => {
    await longshore.flows.cancel(id, { ...auditOf(caller, body), compensate: body.compensate ?? false });
    return { json: { id, done: true } };
  },
});

const signal = operation('POST /runs/{id}/signals', {
  id: 'signalRun',
  summary: 'Sends a signal to a run that waits for it, or will',
  role: 'act',
  params: RunParams,
  body: Closed({ name: Name('The name of a signal'), payload: Type.Optional(Payload) }),
  answers: { 202: { is: 'It is stored', schema: Done } },
  run: async ({ longshore, params: { id }, body: { name, payload } }) => {
    await longshore.flows.signal(id, name, payload);
    return { json: { id, done: true }, status: 202 };
  },
});

const retry = operation('POST /runs/{id}/steps/{step}/retry', {
  id: 'retryStep',
  summary:
    'Runs a failed step once more, or its failed items, or its failed undo; `input` replaces what it was given',
  role: 'act',
  params: StepParams,
  body: Closed({ input: Type.Optional(Payload), why: Type.Optional(Why) }),
  bodyOptional: true,
  answers: ANSWERS,
  run: async ({ longshore, params: { id, step }, body, caller }) => {
    await longshore.flows.retry(id, step, {
      ...auditOf(caller, body),
      ...('input' in body ? { input: body.input } : {}),
    });
    return { json: { id, done: true } };
  },
});

const resolve = operation('POST /runs/{id}/steps/{step}/resolve', {
  id: 'resolveStep',
  summary: 'Counts a failed step as completed, without a result',
  role: 'act',
  params: StepParams,
  body: Reason,
  bodyOptional: true,
  answers: ANSWERS,
  run: async ({ longshore, params: { id, step }, body, caller }) => {
    await longshore.flows.resolve(id, step, auditOf(caller, body));
    return { json: { id, done: true } };
  },
});

const complete = operation('POST /runs/{id}/steps/{step}/complete', {
  id: 'completeStep',
  summary: 'Counts a step as completed, with this result',
  role: 'act',
  params: StepParams,
  body: Closed({ result: Payload, why: Type.Optional(Why) }),
  answers: ANSWERS,
  run: async ({ longshore, params: { id, step }, body, caller }) => {
    await longshore.flows.complete(id, step, body.result, auditOf(caller, body));
    return { json: { id, done: true } };
  },
});

const skip = operation('POST /runs/{id}/steps/{step}/skip', {
  id: 'skipStep',
  summary: 'Passes over a step, as if its branch had not been chosen',
  role: 'act',
  params: StepParams,
  body: Reason,
  bodyOptional: true,
  answers: ANSWERS,
  run: async ({ longshore, params: { id, step }, body, caller }) => {
    await longshore.flows.skip(id, step, auditOf(caller, body));
    return { json: { id, done: true } };
  },
});

export const runActions: readonly Operation[] = [cancel, signal, retry, resolve, complete, skip];
