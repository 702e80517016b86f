import { requireInteger } from '../core/errors.ts';
import type { Slots } from './slots.ts';

/** Always `total` slots. Throws OPTION_INVALID below 1. */
export function fixedSlots(total: number): Slots {
  requireInteger('concurrency', total, 1);
  let used = 0;
  return {
    total,
    get used() {
      return used;
    },
    tryReserve() {
      if (used >= total) return false;
      used += 1;
      return true;
    },
    release() {
      if (used > 0) used -= 1;
    },
    start() {},
    stop() {},
  };
}
