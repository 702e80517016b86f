import type { LongshoreError } from '../core/errors.ts';
import { memberOf } from '../core/legible.ts';

/** Whether a payload did not open here, but may in another worker. */
export function isBarrier(thrown: unknown): thrown is LongshoreError {
  const code = memberOf(thrown, 'code');
  return code === 'KEY_UNKNOWN' || code === 'PAYLOAD_PLAIN';
}
