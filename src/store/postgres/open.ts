import { LongshoreError, optionInvalid } from '../../core/errors.ts';
import type { JobState } from '../../core/job-state.ts';
import { ownFile } from '../../own-file.ts';
import { KeepAlives } from '../keep-alive.ts';
import type { LeaseLock } from '../lease-lock.ts';
import type { DueRequest, PlanFilter, Unit } from '../plans.ts';
import type {
  AgeRequest,
  ClaimRequest,
  DisownRequest,
  EnqueueCall,
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
import type { Talk } from '../talk.ts';
import type { Transactions } from '../transactions.ts';
import { Channel } from './channel.ts';
import type { Cleared, ClearStep } from './clear.ts';
import { type ClientPool, Connections } from './connection.ts';
import { enqueueForeign } from './foreign.ts';
import { foreignTransactions } from './foreign-transactions.ts';
import { HintPacer } from './hint-pacer.ts';
import { HintSender } from './hint-sender.ts';
import { SIZES, type Sizes } from './merge.ts';
import { migratePlace } from './migrate.ts';
import { PostgresNotifier } from './notifier.ts';
import { TalkSender } from './talk.ts';
import { type Place, placeOf, quoted } from './url.ts';
import type { VerbInput, VerbName, VerbResult } from './verbs.ts';

/** `sizes`: for tests of the driver alone. */
export async function openStore(url: string, options: StoreOptions, sizes: Sizes = SIZES): Promise<Store> {
  const place = placeOf(url);
  if (place.migrates) await migratePlace(place, { dryRun: false });
  const borrowed = options.client === undefined ? undefined : requirePool(options.client);
  const connections = await Connections.open({ place, borrowed });
  return new PostgresStore(url, connections, { ...options, sizes });
}

function requirePool(client: unknown): ClientPool {
  // A single client can `connect` as well; only a pool counts its connections.
  const isPool =
    typeof client === 'object' && client !== null && 'connect' in client && 'totalCount' in client;
  if (isPool) return client as ClientPool;
  throw optionInvalid('client', client, 'a Pool of the package pg, such as new Pool()');
}

interface Settings extends StoreOptions {
  readonly sizes: Sizes;
}

/** A schema of a PostgreSQL database, used by any number of processes. This object passes calls to its channel. */
class PostgresStore implements Store {
  readonly capabilities;
  readonly notifier: PostgresNotifier;
  readonly lock: LeaseLock;
  readonly transactions: Transactions;
  readonly #place: Place;
  readonly #sizes: Sizes;
  readonly #connections: Connections;
  readonly #channel: Channel;
  readonly #pacer: HintPacer;
  readonly #hints: HintSender;
  readonly #talk: TalkSender;
  readonly #clock: StoreOptions['clock'];
  readonly #keepAlives: KeepAlives;
  readonly #clearing = new Set<Promise<number>>();
  #closing: Promise<void> | null = null;

  constructor(url: string, connections: Connections, { client, clock, sizes }: Settings) {
    const { place } = connections;
    const instance = `${process.pid}-${crypto.randomUUID()}`;
    this.#place = place;
    this.#sizes = sizes;
    this.#connections = connections;
    this.#clock = clock;
    const notify = !connections.stateless;
    this.capabilities = {
      durable: true,
      shared: true,
      notify,
      retentionBytes: false,
      parallel: true,
      transactions: true,
      plans: true,
    } as const;
    this.#talk = new TalkSender(connections, instance);
    const say: Talk['say'] = (line, text) =>
      this.#closing === null ? this.#talk.say(line, text) : undefined;
    this.notifier = new PostgresNotifier({ place, instance, listens: notify, say });
    this.#hints = new HintSender(connections, instance);
    this.#pacer = new HintPacer(
      (topics) => this.#hints.send(topics),
      (topics) => this.notifier.publish(topics),
    );
    this.#channel = new Channel({
      connections,
      schema: quoted(place.schema),
      sender: instance,
      sizes,
      notifies: (ends) => !ends && this.#pacer.isOpen,
      committed: (topics, told) => this.#pacer.committed(topics, told),
    });
    this.#keepAlives = new KeepAlives({
      module: () => ownFile('./keep-alive', import.meta.url).href,
      url,
      beat: (beat) => this.beat(beat),
      clock,
    });
    this.transactions = foreignTransactions({
      place,
      pool: client,
      clock,
      requireOpen: (verb) => {
        if (this.#closing !== null) throw this.#closed(verb);
      },
      confirm: (completions, options) => this.#call('confirm', completions, options),
    });
    this.lock = {
      acquire: (request) => this.#call('acquire', request, request),
      release: async (request) => void (await this.#call('release', request)),
    };
  }

  async enqueue(specs: readonly JobSpec[], options: EnqueueCall = {}) {
    if (options.tx === undefined) return this.#call('enqueue', specs, options);
    if (this.#closing !== null) throw this.#closed('enqueue');
    return enqueueForeign(options.tx, specs, {
      place: this.#place,
      now: options.now ?? this.#clock?.now(),
      charsMax: this.#sizes.alone,
    });
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
    let jobs = 0;
    let from: ClearStep['from'] = null;
    do {
      const cleared: Cleared = await this.#send('clear', { queue, states, from });
      jobs += cleared.jobs;
      from = cleared.next;
    } while (from !== null);
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
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const heart = this.#keepAlives.close();
    const ear = this.notifier.close();
    await Promise.allSettled(this.#clearing);
    await this.#channel.quiet();
    this.#pacer.flush();
    await this.#hints.quiet();
    await this.#talk.quiet();
    await Promise.all([heart, ear, this.#connections.close()]);
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
    const { host, port, database, schema } = this.#place;
    return new LongshoreError('STORE_CLOSED', `The store was closed before ${verb} was called.`, {
      details: { verb, host, port, database, schema },
    });
  }
}
