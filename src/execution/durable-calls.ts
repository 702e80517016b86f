import { AsyncLocalStorage } from 'node:async_hooks';
import { LongshoreError, optionInvalid, requireMs, requireName, show } from '../core/errors.ts';
import type { WaitForOptions } from '../core/job-context.ts';
import { knownNames, requireKnown } from '../core/options.ts';
import { decodePayload, encodePayload } from '../core/payload.ts';
import { isSchema, validate } from '../core/schema.ts';

/**
 * The handler's side of durable steps, in whatever thread it runs: `step`, `sleep` and `waitFor` of one attempt. It knows
 * what the handler is doing; what is kept it asks of the worker (worker/durable.ts) through a port that crosses borders.
 *
 * A sleep or a wait ends the attempt only when no other durable step of it is under way, so that parallel branches get as far
 * as they can.
 */
export interface DurablePort {
  /** What was kept of a step. */
  begin(name: string): Promise<StepBegun>;
  /** Resolves to what is kept now, which an earlier attempt may have been first with. */
  keep(name: string, text: string | null): Promise<string | null>;
  /** Whether it is over. */
  sleep(name: string, ms: number): Promise<boolean>;
  wait(name: string, timeoutMs: number | null): Promise<WaitAnswer>;
  /** The payload of this signal is of no use. */
  refuse(name: string): Promise<void>;
  /** The attempt ends now, for its sleeps and waits. */
  suspend(): Promise<void>;
}

export interface StepBegun {
  readonly done: boolean;
  /** JSON text; null: it returned nothing, or is not done. */
  readonly text: string | null;
}

export type WaitAnswer =
  | { readonly is: 'here'; readonly text: string | null }
  | { readonly is: 'timedOut' }
  | { readonly is: 'pending' };

interface DurableJob {
  readonly id: string;
  readonly payloadBytesMax: number;
}

export class DurableCalls {
  readonly #job: DurableJob;
  readonly #port: DurablePort;
  readonly #names = new Set<string>();
  /** Steps that run, and calls of the port. */
  #busy = 0;
  /** Sleeps and waits that are not over. */
  #pending: string[] = [];
  #over = false;
  readonly #end = Promise.withResolvers<never>();

  constructor(job: DurableJob, port: DurablePort) {
    this.#job = job;
    this.#port = port;
    silence(this.#end.promise);
  }

  step(name: string, run: () => unknown): Promise<unknown> {
    return silence(this.#step(name, run));
  }

  sleep(name: string, ms: number): Promise<void> {
    return silence(this.#sleep(name, ms));
  }

  waitFor(name: string, options?: WaitForOptions<unknown>): Promise<unknown> {
    return silence(this.#waitFor(name, options));
  }

  async #step(name: string, run: () => unknown): Promise<unknown> {
    if (typeof run !== 'function') throw optionInvalid('run', run, 'a function');
    this.#take(name);
    return this.#during(async () => {
      const begun = await this.#port.begin(name);
      const text = begun.done ? begun.text : await this.#port.keep(name, await this.#run(name, run));
      return decodePayload(text, `the result of ${this.#named(name)}`);
    });
  }

  async #run(name: string, run: () => unknown): Promise<string | null> {
    try {
      const what = `the result of ${this.#named(name)}`;
      const result = await inside.run(name, run);
      return encodePayload(result, what, this.#job.payloadBytesMax);
    } catch (error) {
      // Nothing is kept: the handler may try it again.
      this.#names.delete(name);
      throw error;
    }
  }

  async #sleep(name: string, ms: number): Promise<void> {
    requireMs('ms', ms);
    requireOutside('sleep', name, this.#job.id);
    this.#take(name);
    if (await this.#during(() => this.#port.sleep(name, ms))) return;
    await this.#suspension(name);
  }

  async #waitFor(name: string, options: WaitForOptions<unknown> = {}): Promise<unknown> {
    requireKnown('waitFor', options, WAIT_OPTIONS);
    const { timeoutMs, schema } = options;
    if (timeoutMs !== undefined) requireMs('timeoutMs', timeoutMs);
    if (schema !== undefined && !isSchema(schema))
      throw optionInvalid('schema', schema, 'a schema of zod, valibot, arktype or the like');
    requireOutside('waitFor', name, this.#job.id);
    this.#take(name);
    const answer = await this.#during(() => this.#port.wait(name, timeoutMs ?? null));
    if (answer.is === 'timedOut') return null;
    if (answer.is === 'pending') return this.#suspension(name);
    const what = `the payload of signal ${show(name)} to job ${this.#job.id}`;
    const payload = decodePayload(answer.text, what);
    return schema === undefined ? payload : this.#during(() => this.#check(schema, payload, { name, what }));
  }

  async #check(
    schema: NonNullable<WaitForOptions<unknown>['schema']>,
    payload: unknown,
    { name, what }: { readonly name: string; readonly what: string },
  ): Promise<unknown> {
    try {
      return await validate(schema, payload, what);
    } catch (error) {
      await this.#port.refuse(name);
      throw error;
    }
  }

  #take(name: string): void {
    requireName('name', name);
    if (this.#over) throw this.#suspended();
    if (this.#names.has(name)) throw duplicate(name, this.#job.id);
    this.#names.add(name);
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      this.#look();
    }
  }

  #suspension(name: string): Promise<never> {
    this.#pending.push(name);
    this.#look();
    return this.#end.promise;
  }

  /** A turn later, since the end of one step begins another. */
  #look(): void {
    if (this.#pending.length === 0 || this.#busy > 0 || this.#over) return;
    setImmediate(() => {
      if (this.#busy > 0 || this.#over) return;
      this.#over = true;
      const ended = () => this.#end.reject(this.#suspended());
      this.#port.suspend().then(ended, this.#end.reject);
    });
  }

  #suspended(): LongshoreError {
    const { id } = this.#job;
    const names = this.#pending.map(show).join(', ');
    return new LongshoreError(
      'JOB_SUSPENDED',
      `Job ${id} waits for ${names}: this ends the attempt, and the handler runs again then. Code that catches errors has to throw this one on.`,
      { details: { id, names: this.#pending } },
    );
  }

  #named(name: string): string {
    return `step ${show(name)} of job ${this.#job.id}`;
  }
}

const WAIT_OPTIONS = knownNames<WaitForOptions<unknown>>({ timeoutMs: true, schema: true });

/** The step whose function runs. */
const inside = new AsyncLocalStorage<string>();

/** The step would wait for the end of the attempt, and the end of the attempt for the step. */
function requireOutside(verb: string, name: string, id: string): void {
  const step = inside.getStore();
  if (step === undefined) return;
  throw new LongshoreError(
    'STEP_NESTED',
    `The handler of job ${id} calls ${verb}(${show(name)}) inside step ${show(step)}; call it between steps.`,
    { details: { id, name, step } },
  );
}

/** A call that nobody awaits must not end the process when the attempt ends. */
function silence<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function duplicate(name: string, id: string): LongshoreError {
  return new LongshoreError(
    'STEP_DUPLICATE',
    `The handler of job ${id} used the name ${show(name)} twice for its durable steps. What is kept is found by its name: give each its own, in a loop with the item's key or number in it.`,
    { details: { id, name } },
  );
}
