import { charsOfSettlement, charsOfSpec, sumOf } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import { LongshoreError, mayBlameAnItem } from '../../core/errors.ts';
import type { JobState } from '../../core/job-state.ts';
import { ownFile } from '../../own-file.ts';
import { KeepAlives } from '../keep-alive.ts';
import type { LeaseLock } from '../lease-lock.ts';
import type { DueRequest, PlanFilter, Unit } from '../plans.ts';
import type {
  AgeRequest,
  ClaimRequest,
  DisownRequest,
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
  SettleReceipt,
  Store,
  StoreOptions,
  Timed,
  WorkerBeat,
} from '../store.ts';
import type { Talk } from '../talk.ts';
import { age } from './ageing.ts';
import { type BatchVerb, Channel } from './channel.ts';
import { claim } from './claim.ts';
import { listener, talkChannel } from './client.ts';
import { commit } from './commit.ts';
import { type Connected, connectTo } from './connect-to.ts';
import type { Connection } from './connection.ts';
import { control } from './control.ts';
import { enqueue } from './enqueue.ts';
import { toStoreError } from './errors.ts';
import { get, list, trail } from './inspect.ts';
import { baseOf } from './keys.ts';
import { acquire, release } from './lock.ts';
import { LostClaims } from './lost.ts';
import { prune, reap } from './maintain.ts';
import { RedisNotifier } from './notifier.ts';
import { duePlans, listPlans, plan } from './plans.ts';
import { clear, configureQueue, type InTurn, queues } from './queues.ts';
import { Scripts } from './scripts.ts';
import { Names, type Session } from './session.ts';
import { annotate, settle } from './settle.ts';
import { parseUrl, placeOf, type RedisAddress } from './url.ts';
import { WholeBatches } from './whole.ts';
import { beat, disown, retire, workers } from './workers.ts';

/** Makes the store when there is none yet: there is nothing to create but its version. */
export async function openStore(url: string, options: OpenOptions): Promise<Store> {
  const address = parseUrl(url);
  return new RedisStore(url, await connectTo(address), options);
}

interface OpenOptions extends StoreOptions {
  /** Of a call; for tests of the driver alone. */
  readonly requestBytesMax?: number;
}

/** Each verb is one script (docs/adr/0006-redis-one-slot-a-store.md); this object sends them on one connection, in order. */
class RedisStore implements Store {
  readonly capabilities = {
    durable: true,
    shared: true,
    notify: true,
    retentionBytes: true,
    // The server runs one script at a time, but while it runs one, the answer of another is read and its jobs run here.
    parallel: true,
    transactions: false,
    plans: true,
  } as const;
  readonly warnings: readonly string[];
  readonly notifier: RedisNotifier;
  readonly lock: LeaseLock;
  readonly transactions = null;
  readonly #address: RedisAddress;
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #clock: Clock | undefined;
  readonly #keepAlives: KeepAlives;
  readonly #lost: LostClaims;
  readonly #channel: Channel;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #enqueue: BatchVerb<JobSpec, EnqueueReceipt> = (specs, now) => enqueue(this.#session, specs, now);
  readonly #settle: BatchVerb<Settlement, SettleReceipt> = (settlements, now) =>
    settle(this.#session, settlements, now);
  #closing: Promise<void> | null = null;

  constructor(
    url: string,
    { connection, address, warnings }: Connected,
    { clock, requestBytesMax }: OpenOptions,
  ) {
    const base = baseOf(address.prefix);
    const instance = newInstance();
    this.warnings = warnings;
    this.#address = address;
    this.#connection = connection;
    this.#clock = clock;
    const say: Talk['say'] = (line, text) => {
      const publish = connection.isCluster ? 'SPUBLISH' : 'PUBLISH';
      connection.send([publish, talkChannel(`${base}hints`, line), text]).catch(() => {});
    };
    this.notifier = new RedisNotifier({ instance, listen: listener(address, `${base}hints`), say });
    const hear = (topics: Parameters<RedisNotifier['publish']>[0]) => this.notifier.publish(topics);
    this.#channel = new Channel((error) => mayBlameAnItem(toStoreError(error, address).code));
    const place = placeOf(address);
    const scripts = new Scripts(connection, { base, instance, place, bytesMax: requestBytesMax, hear });
    this.#session = { scripts, names: new Names(scripts), wholes: new WholeBatches() };
    this.#lost = new LostClaims(this.#session);
    this.#keepAlives = new KeepAlives({
      module: () => ownFile('./keep-alive', import.meta.url).href,
      url,
      beat: (request) => this.beat(request),
      clock,
    });
    this.lock = {
      acquire: (request) => this.#do('acquire', request, (now) => acquire(this.#session, request, now)),
      release: (request) => this.#do('release', {}, (now) => release(this.#session, request, now)),
    };
  }

  enqueue(specs: readonly JobSpec[], options: Timed = {}) {
    return this.#batch('enqueue', this.#enqueue, specs, { ...options, chars: sumOf(specs, charsOfSpec) });
  }

  claim(request: ClaimRequest) {
    return this.#do('claim', request, (now) => claim(this.#session, this.#lost, request, now));
  }

  settle(settlements: readonly Settlement[], options: Timed = {}) {
    const chars = sumOf(settlements, charsOfSettlement);
    return this.#batch('settle', this.#settle, settlements, { ...options, chars });
  }

  annotate(notes: readonly Note[], options: Timed = {}) {
    return this.#do('annotate', options, (now) => annotate(this.#session, notes, now));
  }

  beat(request: WorkerBeat) {
    return this.#do('beat', request, (now) => beat(this.#session, request, now));
  }

  keepAlive(options: KeepAliveOptions): KeepAlive {
    if (this.#closing !== null) throw this.#closed('keepAlive');
    return this.#keepAlives.start(options);
  }

  disown(request: DisownRequest) {
    return this.#alone('disown', request, (now) => disown(this.#session, request, now));
  }

  retire(workerId: string, options: Timed = {}) {
    return this.#alone('retire', options, (now) => retire(this.#session, workerId, now));
  }

  workers(options: Timed = {}) {
    return this.#do('workers', options, (now) => workers(this.#session, now));
  }

  reap(request: ReapRequest = {}) {
    return this.#alone('reap', request, (now) => reap(this.#session, request, now));
  }

  prune(request: PruneRequest = {}) {
    return this.#do('prune', request, (now) => prune(this.#session, request, now));
  }

  age(request: AgeRequest = {}) {
    return this.#do('age', request, (now) => age(this.#session, request, now));
  }

  configureQueue(queue: string, change: QueueChange, options: Timed = {}) {
    return this.#alone('configureQueue', options, (now) => configureQueue(this.#session, queue, change, now));
  }

  queues() {
    return this.#do('queues', {}, () => queues(this.#session));
  }

  clear(queue: string, states: readonly JobState[]) {
    const now = this.#clock?.now();
    const session = this.#session;
    const inTurn: InTurn = (step) => this.#channel.next(step);
    return this.#await('clear', () => clear({ session, inTurn, queue, states, now }));
  }

  control(commands: readonly JobCommand[], options: Timed = {}) {
    return this.#do('control', options, (now) => control(this.#session, commands, now));
  }

  get(ids: readonly string[]) {
    return this.#do('get', {}, () => get(this.#session, ids));
  }

  list(filter: JobFilter) {
    return this.#do('list', {}, () => list(this.#session, filter));
  }

  trail(id: string) {
    return this.#do('trail', {}, () => trail(this.#session, id));
  }

  commit(units: readonly Unit[], options: Timed = {}) {
    return this.#do('commit', options, (now) => commit(this.#session, units, now));
  }

  duePlans(request: DueRequest) {
    return this.#do('duePlans', request, (now) => duePlans(this.#session, request, now));
  }

  plan(key: string, kept: readonly string[] | 'all' = []) {
    return this.#do('plan', {}, () => plan(this.#session, key, kept));
  }

  listPlans(filter: PlanFilter) {
    return this.#do('listPlans', {}, () => listPlans(this.#session, filter));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.notifier.close();
    await this.#keepAlives.close();
    await Promise.allSettled([...this.#pending]);
    this.#lost.close();
    await this.#connection.close();
  }

  #do<Result>(
    verb: string,
    time: Timed,
    call: (now: number | undefined) => Promise<Result>,
  ): Promise<Result> {
    const now = time.now ?? this.#clock?.now();
    return this.#await(verb, () => this.#channel.next(() => call(now)));
  }

  /** For verbs of several round trips. */
  #alone<Result>(
    verb: string,
    time: Timed,
    call: (now: number | undefined) => Promise<Result>,
  ): Promise<Result> {
    const now = time.now ?? this.#clock?.now();
    return this.#await(verb, () => this.#channel.alone(() => call(now)));
  }

  #batch<Item, Receipt>(
    verb: string,
    call: BatchVerb<Item, Receipt>,
    items: readonly Item[],
    { chars, ...time }: Timed & { readonly chars: number },
  ): Promise<Receipt[]> {
    const now = time.now ?? this.#clock?.now();
    return this.#await(verb, () => this.#channel.batch(call, items, { now, chars }));
  }

  async #await<Result>(verb: string, call: () => Promise<Result>): Promise<Result> {
    if (this.#closing !== null) throw this.#closed(verb);
    const result = call();
    this.#pending.add(result);
    try {
      return await result;
    } catch (error) {
      throw toStoreError(error, this.#address);
    } finally {
      this.#pending.delete(result);
    }
  }

  #closed(verb: string): LongshoreError {
    const place = placeOf(this.#address);
    return new LongshoreError('STORE_CLOSED', `The store was closed before ${verb} was called.`, {
      details: { verb, place },
    });
  }
}

/** Tells this opened store's hints from others'. */
function newInstance(): string {
  return `${process.pid}-${performance.now().toString(36).replace('.', '')}-${Math.random().toString(36).slice(2)}`;
}
