import type { AnyTask } from '../core/task.ts';
import { moduleUrl } from './importable.ts';

/** A task as a pool and its hosts know it, and how long its handler takes there. */
export class NumberedTask {
  readonly number: number;
  readonly name: string;
  /** What import() takes. */
  readonly module: string;
  #samples = 0;
  #ranMs = 0;

  constructor(number: number, name: string, module: string) {
    this.number = number;
    this.name = name;
    this.module = module;
  }

  /** A handler of it ran for so long: an exponential moving average, weight 1/16 for a new value. */
  observe(ranMs: number): void {
    this.#samples += 1;
    this.#ranMs += (ranMs - this.#ranMs) / Math.min(this.#samples, 16);
  }

  /** How long its next handler may take, ms; infinite where too few have run. */
  get expectedMs(): number {
    return this.#samples < SAMPLES_MIN ? Number.POSITIVE_INFINITY : this.#ranMs;
  }
}

const SAMPLES_MIN = 4;

/** The tasks of a pool. Those of one name and one module are one. */
export class NumberedTasks {
  readonly #byPlace = new Map<string, NumberedTask>();
  /** Looked into at each job. */
  readonly #byTask = new WeakMap<AnyTask, NumberedTask>();

  of(task: AnyTask): NumberedTask {
    let numbered = this.#byTask.get(task);
    if (numbered === undefined) {
      numbered = this.#find(task);
      this.#byTask.set(task, numbered);
    }
    return numbered;
  }

  #find(task: AnyTask): NumberedTask {
    const module = moduleUrl(task.module ?? '');
    const key = `${module}\n${task.name}`;
    let numbered = this.#byPlace.get(key);
    if (numbered === undefined) {
      numbered = new NumberedTask(this.#byPlace.size, task.name, module);
      this.#byPlace.set(key, numbered);
    }
    return numbered;
  }
}
