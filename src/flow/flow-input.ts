import { LongshoreError, show } from '../core/errors.ts';
import { decodePayload, type PayloadCodec } from '../core/payload.ts';
import { type Schema, validate } from '../core/schema.ts';
import type { AnyFlow } from './flow.ts';

/**
 * The input of a run, checked. The schema sees what will come out of the store: a Date is a text by then. Throws INPUT_INVALID,
 * PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE.
 */
export async function flowInput(flow: AnyFlow, input: unknown, codec: PayloadCodec): Promise<unknown> {
  const what = `the input of flow ${show(flow.name)}`;
  const given = decodePayload(codec.text(input, what), what);
  return flow.schema === null ? given : validate(flow.schema, given, what);
}

/** What a signal brings, checked likewise. Throws INPUT_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE. */
export async function signalPayload(
  name: string,
  payload: unknown,
  schema: Schema | null,
  codec: PayloadCodec,
): Promise<unknown> {
  const what = `the payload of signal ${show(name)}`;
  const given = decodePayload(codec.text(payload, what), what);
  return schema === null ? given : validate(schema, given, what);
}

/** Throws FLOW_INVALID. */
export function requireFlow(flow: unknown): void {
  if (typeof flow === 'object' && flow !== null && 'data' in flow && 'version' in flow) return;
  throw new LongshoreError('FLOW_INVALID', `The flow is ${show(flow)}; expected what defineFlow() returns.`);
}
