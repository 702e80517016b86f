/**
 * What surrounds handlers in a thread or process for tasks: there the worker's tracer is not, only the meta it sent along. Set by
 * `longshore/otel` where a program has a tracer of its own in there.
 */
export type HandlerScope = <Result>(meta: string | null, work: () => Result) => Result;

let scope: HandlerScope | null = null;

export function setHandlerScope(wanted: HandlerScope | null): void {
  scope = wanted;
}

export function withinScope<Result>(meta: string | null, work: () => Result): Result {
  return scope === null ? work() : scope(meta, work);
}
