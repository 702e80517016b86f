let offset = performance.timeOrigin;

/** Ms since the epoch, with fractions: the machine's time, read by the clock that does not jump. */
export function epochMs(): number {
  const time = performance.now() + offset;
  const wall = Date.now();
  if (Math.abs(time - wall) <= DRIFT_MAX_MS) return time;
  offset += wall - time;
  return wall;
}

const DRIFT_MAX_MS = 2;
