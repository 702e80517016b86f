/**
 * A sensor for the tuner that says what the test sets: `connect(url, { sensor: new FakeSensor() })`. Workers with the
 * same one share their slots.
 */
export class FakeSensor {
  readonly name = 'a fake sensor';
  /** Shares, 0 to 1. */
  cpu: number;
  memory: number;
  /** Thrown by the next samples, until it is null again. */
  failure: Error | null = null;

  constructor({ cpu = 0, memory = 0 }: { readonly cpu?: number; readonly memory?: number } = {}) {
    this.cpu = cpu;
    this.memory = memory;
  }

  sample(): { cpu: number; memory: number } {
    if (this.failure !== null) throw this.failure;
    return { cpu: this.cpu, memory: this.memory };
  }
}
