import Type from 'typebox';
import { Closed } from '../forms.ts';
import { type Operation, operation } from '../operation.ts';

/** Flows whose runs this server can start. */
const FlowForm = Closed({
  name: Type.String(),
  version: Type.String(),
  steps: Type.Array(Closed({ name: Type.String(), kind: Type.String(), after: Type.Array(Type.String()) })),
});

const list = operation('GET /flows', {
  id: 'listFlows',
  summary: 'Flows that this server knows, with their steps',
  role: 'look',
  answers: { 200: { is: 'The flows', schema: Closed({ flows: Type.Array(FlowForm) }) } },
  run: async ({ settings }) => ({
    json: {
      flows: settings.flows.map(({ name, version, data }) => ({
        name,
        version,
        steps: data.steps.map((step) => ({
          name: step.name,
          kind: step.kind,
          after: step.after.map(({ step, branch }) => (branch === undefined ? step : `${step}.${branch}`)),
        })),
      })),
    },
  }),
});

export const flows: readonly Operation[] = [list];
