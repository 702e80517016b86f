/** The mark of a thread or process that runs handlers for a worker elsewhere: there, no worker may start. */
const HOST = Symbol.for('longshore.host');

export function markAsHost(): void {
  (globalThis as { [HOST]?: true })[HOST] = true;
}

/** Also true for another copy of the package in the same thread. */
export function insideHost(): boolean {
  return (globalThis as { [HOST]?: true })[HOST] === true;
}
