/**
 * Hides what paths name, in whatever is sent out: a path begins at any member of its first name, so `input.card` is hidden
 * in jobs, runs, schedules and events alike. `*` is any name or index. A payload that cannot be read is hidden whole.
 */
export type Redact = (value: unknown) => unknown;

export const HIDDEN = '[redacted]';

/** Deeper than any view; payloads below are looked at by their own paths. */
const DEPTH_MAX = 64;

export function redaction(paths: readonly string[]): Redact {
  if (paths.length === 0) return (value) => value;
  const rest = paths.map((path) => path.split('.'));
  return (value) => hide(value, rest, rest, 0);
}

/** `begins`: every path, which may begin anywhere; `here`: what is left of those that began above. */
function hide(
  value: unknown,
  begins: readonly (readonly string[])[],
  here: readonly (readonly string[])[],
  depth: number,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) return HIDDEN;
  if (Array.isArray(value))
    return value.map((item, index) => member(String(index), item, begins, here, depth));
  if (Object.getPrototypeOf(value) === null || Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, member(name, item, begins, here, depth)]),
    );
  return value;
}

function member(
  name: string,
  item: unknown,
  begins: readonly (readonly string[])[],
  here: readonly (readonly string[])[],
  depth: number,
): unknown {
  const below = here.filter(([first]) => first === name || first === '*').map((path) => path.slice(1));
  if (below.some((path) => path.length === 0)) return HIDDEN;
  if (below.length > 0 && isUnreadable(item)) return HIDDEN;
  return hide(item, begins, [...begins, ...below], depth + 1);
}

function isUnreadable(item: unknown): boolean {
  return typeof item === 'object' && item !== null && Object.hasOwn(item, 'corrupt');
}
