import type { Clock } from '../core/clock.ts';
import { LongshoreError, optionInvalid, show } from '../core/errors.ts';
import { correlationIdOf, passedOn } from '../core/inherited.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { AnyDeclaration } from '../core/task.ts';
import type { Tracing } from '../core/tracing.ts';
import { keyGiven } from '../core/unique.ts';
import { currentJob } from '../current-job.ts';
import type { EnqueueReceipt, JobSpec, Store } from '../store/store.ts';
import type { EventBus, EventListener, EventName } from '../telemetry/events.ts';
import { type EnqueueOptions, JobSpecs, requireEnqueueOptions, type SpecMeans } from './enqueue.ts';
import { FarEnds } from './far-ends.ts';
import { FarEvents, type ListenOptions } from './far-events.ts';
import { FarSide } from './far-side.ts';
import { hearEnds } from './hear-ends.ts';
import { type HandleMeans, JobHandle } from './job-handle.ts';
import { Jobs, type JobsMeans } from './jobs.ts';
import { Queues } from './queues.ts';
import { sendTraced } from './send-traced.ts';
import { tellEnds } from './tell-ends.ts';
import { Watch } from './watch.ts';

/**
 * The client's side of the data path: queue.enqueue -> store.enqueue. Sees the store contract only.
 * It validates, encodes and waits; it never runs a handler.
 */
export class Client {
  readonly jobs: Jobs;
  readonly queues: Queues;
  /** For the workers and flows of this connection: ends that they write reach who awaits them here, and have their events. */
  readonly store: Store;
  readonly #events: EventBus;
  readonly #far: FarSide | null;
  readonly #farEvents: FarEvents;
  readonly #means: HandleMeans & { readonly clock: Clock };
  readonly #tracing: Tracing | null;

  constructor(store: Store, { events, codec, clock, tracing, jobsOfRun }: ClientParts) {
    this.#events = events;
    this.#tracing = tracing;
    const { talk } = store.notifier;
    this.#far = talk === undefined ? null : new FarSide(talk, events);
    this.#farEvents = new FarEvents(store, this.#far, events, codec);
    const ends = this.#far === null ? null : new FarEnds(store, this.#far);
    const watch = new Watch(store, clock, ends);
    this.store = hearEnds(tellEnds(store, events), watch, ends);
    this.#means = { store: this.store, watch, codec, clock };
    this.jobs = new Jobs({ ...this.#means, jobsOfRun });
    this.queues = new Queues(store, events);
  }

  async enqueue<Result>(
    task: AnyDeclaration | string,
    input: unknown,
    options: EnqueueOptions = {},
  ): Promise<JobHandle<Result>> {
    requireEnqueueOptions('enqueue', options);
    const built = new JobSpecs(task, this.#specMeans()).make(input, options);
    const spec = built instanceof Promise ? await built : built;
    const [receipt] = await this.#write([spec], options.tx);
    return this.#handle(spec, receipt as EnqueueReceipt, options.tx);
  }

  async enqueueMany<Given, Result>(
    task: AnyDeclaration | string,
    inputs: readonly Given[],
    options: EnqueueOptions | ((input: Given, index: number) => EnqueueOptions) = {},
  ): Promise<JobHandle<Result>[]> {
    if (!Array.isArray(inputs)) throw optionInvalid('inputs', inputs, 'an array of inputs');
    if (typeof options !== 'function') requireEnqueueOptions('enqueueMany', options);
    const specs: JobSpec[] = new Array(inputs.length);
    let maker: JobSpecs | null = null;
    let tx: unknown;
    for (let index = 0; index < inputs.length; index += 1) {
      const input = inputs[index] as Given;
      const own = typeof options === 'function' ? ownOptions(options(input, index), index) : options;
      if (index === 0) tx = own.tx;
      else if (own.tx !== tx) throw atIndex(optionInvalid('tx', own.tx, 'that of inputs[0]'), index);
      try {
        maker ??= new JobSpecs(task, this.#specMeans());
        const built = maker.make(input, own);
        specs[index] = built instanceof Promise ? await built : built;
      } catch (error) {
        throw atIndex(error, index);
      }
    }
    const receipts = await this.#write(specs, tx);
    const added: JobHandle<Result>[] = [];
    for (let index = 0; index < receipts.length; index += 1) {
      const receipt = receipts[index] as EnqueueReceipt;
      if (receipt.status !== 'conflict') added.push(this.#handle(specs[index] as JobSpec, receipt, tx));
    }
    if (added.length < receipts.length) throw conflicts(specs, receipts, added);
    return added;
  }

  on<Name extends EventName>(name: Name, listener: EventListener<Name>, options?: ListenOptions): () => void {
    return this.#farEvents.on(name, listener, options);
  }

  close(): void {
    this.#means.watch.close();
    this.#farEvents.close();
    this.#far?.close();
  }

  #specMeans(): SpecMeans {
    const job = currentJob();
    return job === null ? this.#means : { ...this.#means, inherited: passedOn(job) };
  }

  #write(specs: readonly JobSpec[], tx: unknown): Promise<EnqueueReceipt[]> {
    const { store } = this.#means;
    if (tx !== undefined && !store.capabilities.transactions)
      throw optionInvalid('tx', tx, 'to be left out: this store cannot write in a transaction of yours');
    const write = (given: readonly JobSpec[]): Promise<EnqueueReceipt[]> =>
      tx === undefined ? store.enqueue(given) : store.enqueue(given, { tx });
    return this.#tracing === null ? write(specs) : sendTraced(this.#tracing, specs, write);
  }

  #handle<Result>(spec: JobSpec, receipt: EnqueueReceipt, tx: unknown): JobHandle<Result> {
    // Ids are made for each call: a store that had to repeat it after a lost reply met its own job.
    const isOwn = spec.isNew === true && receipt.id === spec.id;
    const status = receipt.status === 'existing' && isOwn ? 'created' : receipt.status;
    if (status === 'conflict') throw conflict(spec, receipt);
    // In a transaction of the caller's, nobody here learns whether it commits.
    if (tx === undefined && this.#events.wants('job.enqueued')) {
      this.#events.emit('job.enqueued', {
        id: receipt.id,
        queue: spec.queue,
        task: spec.task,
        status,
        state: receipt.state,
        correlationId: correlationIdOf({ id: receipt.id, meta: spec.meta ?? null }),
      });
    }
    return new JobHandle<Result>(receipt.id, status, this.#means);
  }
}

/** What a connection gives its client. */
export interface ClientParts {
  readonly events: EventBus;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly tracing: Tracing | null;
  readonly jobsOfRun: JobsMeans['jobsOfRun'];
}

function conflict(spec: JobSpec, receipt: EnqueueReceipt): LongshoreError {
  const key = uniqueKeyOf(spec);
  const message = `Job ${receipt.id} (${receipt.state}) already holds the unique key ${show(key)}; nothing was enqueued.`;
  return new LongshoreError('UNIQUE_CONFLICT', message, {
    details: { id: receipt.id, state: receipt.state, key },
  });
}

const NO_OPTIONS: EnqueueOptions = {};

/** What a function of the caller's returned for one of many jobs. */
function ownOptions(options: EnqueueOptions | undefined, index: number): EnqueueOptions {
  try {
    if (options !== undefined) requireEnqueueOptions('enqueueMany', options);
  } catch (error) {
    throw atIndex(error, index);
  }
  return options ?? NO_OPTIONS;
}

function uniqueKeyOf({ unique }: JobSpec): string | null {
  return unique === null ? null : keyGiven(unique.key);
}

/** In a batch the conflicting jobs are left out and the rest is enqueued; the error says which, and the ids of the others. */
function conflicts(
  specs: readonly JobSpec[],
  receipts: readonly EnqueueReceipt[],
  added: readonly JobHandle[],
): LongshoreError {
  const held = receipts.flatMap((receipt, index) =>
    receipt.status === 'conflict'
      ? [{ index, id: receipt.id, key: uniqueKeyOf(specs[index] as JobSpec) }]
      : [],
  );
  const [first] = held;
  const message = `${held.length} of ${specs.length} jobs were not enqueued because their unique keys are held, first inputs[${first?.index}] by job ${first?.id}; the others were enqueued.`;
  return new LongshoreError('UNIQUE_CONFLICT', message, {
    details: { conflicts: held, added: added.map(({ id }) => id) },
  });
}

function atIndex(error: unknown, index: number): unknown {
  if (!(error instanceof LongshoreError)) return error;
  const message = `inputs[${index}]: ${error.message} None of the batch was enqueued.`;
  return new LongshoreError(error.code, message, { cause: error, details: { ...error.details, index } });
}
