/**
 * Keeps the number of series bounded: of each kind of label set the first `max` are told apart, all others share the value
 * `other`. Names are the program's, and a program may make a queue for each of its customers.
 */
export class Labels<Value> {
  readonly #what: string;
  readonly #max: number;
  readonly #make: (...labels: string[]) => Value;
  readonly #warn: (text: string) => void;
  readonly #known = new Map<string, Value | Map<string, Value>>();
  #size = 0;
  #other: Value | null = null;

  constructor({ what, max, make, warn }: LabelsOptions<Value>) {
    this.#what = what;
    this.#max = max;
    this.#make = make;
    this.#warn = warn;
  }

  /** How many are told apart. */
  get size(): number {
    return this.#size;
  }

  one(label: string): Value {
    const known = this.#known.get(label) as Value | undefined;
    if (known !== undefined) return known;
    if (this.#size >= this.#max) return this.#others(1);
    const made = this.#make(label);
    this.#known.set(label, made);
    this.#size += 1;
    return made;
  }

  two(label: string, other: string): Value {
    const inner = this.#known.get(label) as Map<string, Value> | undefined;
    const known = inner?.get(other);
    if (known !== undefined) return known;
    if (this.#size >= this.#max) return this.#others(2);
    const made = this.#make(label, other);
    if (inner === undefined) this.#known.set(label, new Map([[other, made]]));
    else inner.set(other, made);
    this.#size += 1;
    return made;
  }

  #others(count: number): Value {
    this.#warn(
      `metrics: there are more than ${this.#max} ${this.#what}; what is beyond has the label "${OTHER}" (option labelsMax).`,
    );
    this.#other ??= this.#make(...new Array<string>(count).fill(OTHER));
    return this.#other;
  }
}

export interface LabelsOptions<Value> {
  /** For the line that says there are too many: `queues`. */
  readonly what: string;
  readonly max: number;
  readonly make: (...labels: string[]) => Value;
  readonly warn: (text: string) => void;
}

export const OTHER = 'other';
