/** What activities and bare processes compute: the same code for all. */

/** Holds the thread for so many steps; returns something, so that no compiler leaves it out. */
export function compute(steps: number): number {
  let value = 1;
  for (let step = 0; step < steps; step += 1) value = (Math.imul(value, 1_103_515_245) + 12_345) | 0;
  return value;
}

/** How many steps take so long here and now. */
export function stepsIn(ms: number): number {
  let steps = 1_000_000;
  for (;;) {
    const began = performance.now();
    compute(steps);
    const tookMs = performance.now() - began;
    if (tookMs >= ms / 4) return Math.round((steps * ms) / tookMs);
    steps *= 2;
  }
}

/** Holds the thread for so long. */
export function block(ms: number): string {
  const end = performance.now() + ms;
  while (performance.now() < end) compute(10_000);
  return 'done';
}
