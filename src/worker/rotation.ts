/** Several queues take turns at being first, so that a full one does not starve the others. */
export class Rotation {
  #first = 0;

  next(queues: readonly string[]): readonly string[] {
    if (queues.length === 1) return queues;
    this.#first = (this.#first + 1) % queues.length;
    return [...queues.slice(this.#first), ...queues.slice(0, this.#first)];
  }
}
