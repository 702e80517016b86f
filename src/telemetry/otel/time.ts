let offset = performance.timeOrigin;

/** Ms since the epoch, with fractions: the machine's time, read by the clock that does not jump. */
export function epochMs(): number {
  const before = Date.now();
  const time = performance.now() + offset;
  const isApart = Math.abs(time - before) > DRIFT_MAX_MS;
  // Not where the process stood still between the two.
  if (!isApart || Date.now() - before > 1) return time;
  offset += before - time;
  return before;
}

const DRIFT_MAX_MS = 5;
