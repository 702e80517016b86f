/**
 * A part of a worker that is started and stopped. Both are idempotent and may overlap: a stop waits for the start
 * that is under way, a second stop for the first.
 */
export abstract class Service {
  #state: 'stopped' | 'starting' | 'running' | 'stopping' = 'stopped';
  #change: Promise<void> = Promise.resolve();

  get running(): boolean {
    return this.#state === 'running';
  }

  start(): Promise<void> {
    if (this.#state === 'starting' || this.#state === 'running') return this.#change;
    this.#state = 'starting';
    this.#change = this.#change
      .catch(() => undefined)
      .then(() => this.onStart())
      .then(
        () => this.#become('starting', 'running'),
        (error) => {
          this.#become('starting', 'stopped');
          throw error;
        },
      );
    return this.#change;
  }

  stop(): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return this.#change.catch(() => undefined);
    this.#state = 'stopping';
    this.#change = this.#change
      .catch(() => undefined)
      .then(() => this.onStop())
      .finally(() => this.#become('stopping', 'stopped'));
    return this.#change;
  }

  protected abstract onStart(): Promise<void> | void;

  /** Must leave no timer, subscription or promise of the service behind, also after a start that failed. */
  protected abstract onStop(): Promise<void> | void;

  /** A later call may have moved on already; then its state stands. */
  #become(from: string, to: 'running' | 'stopped'): void {
    if (this.#state === from) this.#state = to;
  }
}
