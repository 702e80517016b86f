import type { LongshoreError } from '../core/errors.ts';

/** Whether a payload did not open here, but may in another worker. */
export function isBarrier(thrown: unknown): thrown is LongshoreError {
  const { code } = (thrown ?? {}) as { code?: unknown };
  return code === 'KEY_UNKNOWN' || code === 'PAYLOAD_PLAIN';
}
