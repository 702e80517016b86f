import { LongshoreError, optionInvalid, show } from '../core/errors.ts';
import { signalText } from '../core/flow/names.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { Store } from '../store/store.ts';
import type { Definitions } from './definitions.ts';
import type { AnyFlow } from './flow.ts';
import { requireFlow, signalPayload } from './flow-input.ts';
import { requireId } from './run-options.ts';
import { runPlace } from './run-payload.ts';
import { runKey } from './run-plan.ts';
import { runView } from './run-view.ts';
import { hasEnded, runGone } from './run-watch.ts';

/** A signal to a run. */
export interface SignalTo {
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
  /** The flow whose code the sender has; null: what this connection knows of it. */
  readonly flow: AnyFlow | null;
}

interface SignalMeans {
  readonly store: Store;
  readonly codec: PayloadCodec;
  readonly definitions: Definitions;
  /** Something came for the run. */
  readonly kick: (key: string) => void;
}

/** Rejects with RUN_UNKNOWN, RUN_STATE_REFUSED, OPTION_INVALID, INPUT_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE. */
export async function sendSignal({ id, name, payload, flow }: SignalTo, means: SignalMeans): Promise<void> {
  if (flow !== null) requireFlow(flow);
  const { store, codec, definitions, kick } = means;
  const plan = await store.plan(runKey(requireId(id)));
  if (plan === null) throw runGone(id);
  if (flow !== null && flow.name !== plan.label)
    throw optionInvalid(
      'id',
      id,
      `a run of flow ${show(flow.name)}; this one is of flow ${show(plan.label)}`,
    );
  if (hasEnded(plan))
    throw new LongshoreError('RUN_STATE_REFUSED', `Run '${id}' takes no signal: it is ${plan.state}.`, {
      details: { id, state: plan.state },
    });
  const { version } = runView(plan);
  const data = await definitions.get(version);
  const names = data?.steps.flatMap((step) => (step.kind === 'wait' ? [step.signal] : [])) ?? [];
  if (!names.includes(name))
    throw optionInvalid(
      'signal',
      name,
      names.length === 0 ? `no signal: flow '${plan.label}' waits for none` : names.map(show).join(' or '),
    );
  // The code of the run's own version knows best.
  const code = flow?.version === version ? flow : (definitions.code(version) ?? flow);
  const schema = code?.signals.get(name) ?? null;
  const checked = await signalPayload(name, payload, schema, codec);
  const result = codec.encode(checked, runPlace(id), `the payload of signal '${name}'`);
  const report = { plan: plan.key, as: signalText(name), state: 'told', result, error: null } as const;
  const [receipt] = await store.commit([{ reports: [report] }]);
  if (receipt?.reported[0] !== true) throw runGone(id);
  kick(plan.key);
}
