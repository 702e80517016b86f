/**
 * What surrounds handlers in a thread or process for tasks: there the worker's tracer is not, only the meta it sent along. Set by
 * `longshore/otel` where a program has a tracer of its own in there.
 */
export type HandlerScope = <Result>(meta: string | null, work: () => Result) => Result;

let scope: HandlerScope | null = null;

export function setHandlerScope(wanted: HandlerScope | null): void {
  scope = wanted;
}

/** For one job; null: handlers run as they are. */
export function scopeOf(meta: string | null): (<Result>(work: () => Result) => Result) | null {
  const wanted = scope;
  return wanted === null ? null : (work) => wanted(meta, work);
}
