import type { Clock } from '../../core/clock.ts';
import { LongshoreError } from '../../core/errors.ts';
import type { JobState } from '../../core/job-state.ts';
import { ownFile } from '../../own-file.ts';
import type { LeaseLock } from '../lease-lock.ts';
import type { Topic } from '../notifier.ts';
import type { DueRequest, PlanFilter, Unit } from '../plans.ts';
import type {
  AgeRequest,
  ClaimRequest,
  DisownRequest,
  EnqueueCall,
  EnqueueReceipt,
  JobCommand,
  JobFilter,
  JobSpec,
  KeepAlive,
  KeepAliveOptions,
  Note,
  PruneRequest,
  QueueChange,
  ReapRequest,
  Settlement,
  Store,
  StoreOptions,
  Timed,
  WorkerBeat,
} from '../store.ts';
import type { Transactions } from '../transactions.ts';
import { Channel } from './channel.ts';
import type { Cleared } from './clear.ts';
import type { ForeignMeans } from './foreign.ts';
import { KeepAlives } from './keep-alive.ts';
import { SqliteNotifier } from './notifier.ts';
import type { Prepared } from './remote-complete.ts';
import { fileOf } from './url.ts';
import type { VerbInput, VerbName, VerbResult } from './verbs.ts';

/** For tests of the driver alone. */
export interface Internals {
  /** URL of a module that exports `Hooks` (transact.ts); the store thread loads it. */
  readonly hooks?: string;
  /** How large a call may be. */
  readonly callCharsMax?: number;
}

export async function openStore(
  url: string,
  options: StoreOptions,
  internals: Internals = {},
): Promise<Store> {
  const store = new SqliteStore(fileOf(url), options, internals);
  await store.opened;
  return store;
}

/**
 * The embedded store: one SQLite file, any number of processes on one machine. This object only passes calls to its
 * store thread (thread.ts), where all of the file is read and written; the caller's event loop never waits for a disk.
 */
class SqliteStore implements Store {
  readonly capabilities = {
    durable: true,
    shared: true,
    notify: true,
    transactions: true,
    plans: true,
    retentionBytes: false,
    parallel: false,
  } as const;
  readonly notifier: SqliteNotifier;
  readonly lock: LeaseLock;
  /** On this thread, since the caller's connection lives here. Loaded on use: it costs memory that few need. */
  readonly transactions: Transactions = {
    run: async (db, body) => {
      if (this.#closing !== null) throw this.#closed('transaction');
      const { runForeign } = await import('./foreign-begin.ts');
      await runForeign(db, body);
    },
    complete: async (tx, completion, options) => {
      const { completeForeign } = await this.#foreign('complete');
      return completeForeign(tx, completion, this.#means(options));
    },
    confirm: (completions, options) => this.#call('confirm', completions, options),
    remote: {
      get module() {
        return ownFile('./remote-complete', import.meta.url).href;
      },
      prepare: (completion, options): Prepared => {
        if (this.#closing !== null) throw this.#closed('complete');
        return { completion, file: this.#file, now: options?.now ?? this.#clock?.now() ?? null };
      },
      forget: () => undefined,
    },
  };
  readonly opened: Promise<unknown>;
  /** Here and to other processes. */
  readonly #hint = (topics: readonly Topic[]): void => {
    this.notifier.publish(topics);
    this.#channel.say({ type: 'touch', topics });
  };
  readonly #file: string;
  readonly #channel: Channel;
  readonly #clock: Clock | undefined;
  readonly #keepAlives: KeepAlives;
  readonly #clearing = new Set<Promise<number>>();
  #closing: Promise<void> | null = null;

  constructor(file: string, { clock }: StoreOptions, { hooks, callCharsMax }: Internals) {
    const instance = newInstance();
    this.#file = file;
    this.#clock = clock;
    const errand = { kind: 'serve', file, instance, hooks: hooks ?? null } as const;
    this.#channel = new Channel(errand, {
      charsMax: callCharsMax,
      hear: (message) => {
        if (message.type === 'replies') this.notifier.publish(message.topics);
        else if (message.type === 'changed') this.notifier.publishAll();
        else this.#keepAlives.hear(message);
      },
    });
    this.notifier = new SqliteNotifier(file, instance, (on) => this.#channel.say({ type: 'watch', on }));
    this.#keepAlives = new KeepAlives(this.#channel, (beat) => this.beat(beat), clock);
    this.lock = {
      acquire: (request) => this.#call('acquire', request, request),
      release: async (request) => void (await this.#call('release', request)),
    };
    this.opened = this.#channel.done();
  }

  enqueue(specs: readonly JobSpec[], options?: EnqueueCall) {
    return options?.tx === undefined
      ? this.#call('enqueue', specs, options)
      : this.#enqueueForeign(specs, options);
  }

  claim(request: ClaimRequest) {
    return this.#call('claim', request, request);
  }

  settle(settlements: readonly Settlement[], options?: Timed) {
    return this.#call('settle', settlements, options);
  }

  annotate(notes: readonly Note[], options?: Timed) {
    return this.#call('annotate', notes, options);
  }

  beat(beat: WorkerBeat) {
    return this.#call('beat', beat, beat);
  }

  keepAlive(options: KeepAliveOptions): KeepAlive {
    if (this.#closing !== null) throw this.#closed('keepAlive');
    return this.#keepAlives.start(options);
  }

  disown(request: DisownRequest) {
    return this.#call('disown', request, request);
  }

  retire(workerId: string, options?: Timed) {
    return this.#call('retire', workerId, options);
  }

  workers(options?: Timed) {
    return this.#call('workers', null, options);
  }

  reap(request: ReapRequest = {}) {
    return this.#call('reap', request, request);
  }

  prune(request: PruneRequest = {}) {
    return this.#call('prune', request, request);
  }

  age(request: AgeRequest = {}) {
    return this.#call('age', request, request);
  }

  configureQueue(queue: string, change: QueueChange, options?: Timed) {
    return this.#call('configureQueue', { queue, change }, options);
  }

  queues() {
    return this.#call('queues', null);
  }

  async clear(queue: string, states: readonly JobState[]) {
    if (this.#closing !== null) throw this.#closed('clear');
    const clearing = this.#clear(queue, states);
    this.#clearing.add(clearing);
    return clearing.finally(() => this.#clearing.delete(clearing));
  }

  /** In steps (clear.ts), also while the store closes: the call was made before. */
  async #clear(queue: string, states: readonly JobState[]): Promise<number> {
    let [jobs, below]: [number, number | null] = [0, null];
    do {
      const cleared: Cleared = await this.#send('clear', { queue, states, below });
      jobs += cleared.jobs;
      below = cleared.below;
    } while (below !== null);
    return jobs;
  }

  control(commands: readonly JobCommand[], options?: Timed) {
    return this.#call('control', commands, options);
  }

  get(ids: readonly string[]) {
    return this.#call('get', ids);
  }

  list(filter: JobFilter) {
    return this.#call('list', filter);
  }

  trail(id: string) {
    return this.#call('trail', id);
  }

  commit(units: readonly Unit[], options?: Timed) {
    return this.#call('commit', units, options);
  }

  duePlans(request: DueRequest) {
    return this.#call('duePlans', request, request);
  }

  plan(key: string, kept: readonly string[] | 'all' = []) {
    return this.#call('plan', { key, kept });
  }

  listPlans(filter: PlanFilter) {
    return this.#call('listPlans', filter);
  }

  close(): Promise<void> {
    if (this.#closing === null) {
      this.notifier.close();
      this.#keepAlives.close();
      this.#closing = this.#close();
    }
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#clearing.size > 0) await Promise.allSettled(this.#clearing);
    await this.#channel.close();
  }

  async #enqueueForeign(specs: readonly JobSpec[], call: EnqueueCall): Promise<EnqueueReceipt[]> {
    const { enqueueForeign } = await this.#foreign('enqueue');
    return enqueueForeign(call.tx, specs, this.#means(call));
  }

  async #foreign(verb: string): Promise<typeof import('./foreign.ts')> {
    if (this.#closing !== null) throw this.#closed(verb);
    return import('./foreign.ts');
  }

  #means({ now }: Timed = {}): ForeignMeans {
    return { file: this.#file, now: now ?? this.#clock?.now() ?? Date.now(), hint: this.#hint };
  }

  async #call<Name extends VerbName>(
    verb: Name,
    input: VerbInput<Name>,
    time?: Timed,
  ): Promise<VerbResult<Name>> {
    if (this.#closing !== null) throw this.#closed(verb);
    return this.#send(verb, input, time);
  }

  async #send<Name extends VerbName>(
    verb: Name,
    input: VerbInput<Name>,
    time?: Timed,
  ): Promise<VerbResult<Name>> {
    const now = time?.now ?? this.#clock?.now();
    return (await this.#channel.call(verb, input, now)) as VerbResult<Name>;
  }

  #closed(verb: string): LongshoreError {
    return new LongshoreError('STORE_CLOSED', `The store was closed before ${verb} was called.`, {
      details: { verb, file: this.#file },
    });
  }
}

/** Tells this opened store's files in the wake folder from others'. Not `newId`, which loads node:crypto: 3 MB. */
function newInstance(): string {
  return `${process.pid}-${performance.now().toString(36).replace('.', '')}-${Math.random().toString(36).slice(2)}`;
}
