import type { RuleCodec } from '../core/flow/draft.ts';
import type { PayloadCodec, PayloadPlace } from '../core/payload.ts';

/**
 * Payloads inside a run are sealed for the run. What comes from a job or goes to one is opened at its place and sealed anew;
 * without encryption that changes nothing.
 */
export function runPlace(id: string): PayloadPlace {
  return { role: 'run', id };
}

export function runCodec(codec: PayloadCodec, id: string): RuleCodec {
  const place = runPlace(id);
  return {
    decode: (text, what) => codec.decode(text, place, what),
    encode: (value, what) => codec.encode(value, place, what),
  };
}

/** Throws KEY_UNKNOWN, PAYLOAD_PLAIN, PAYLOAD_CORRUPT. */
export function moved(
  codec: PayloadCodec,
  text: string | null,
  { from, to, what }: { readonly from: PayloadPlace; readonly to: PayloadPlace; readonly what: string },
): string | null {
  return codec.seal(codec.open(text, from, what), to);
}
