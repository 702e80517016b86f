import type { Clock } from '../../core/clock.ts';
import { LongshoreError } from '../../core/errors.ts';
import type { JobState } from '../../core/job-state.ts';
import type { LeaseLock } from '../lease-lock.ts';
import type { DueRequest, PlanFilter, Unit } from '../plans.ts';
import type {
  AgeRequest,
  ClaimRequest,
  DisownRequest,
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
import { age } from './ageing.ts';
import { claim } from './claim.ts';
import { clear, configureQueue, control, matching } from './control.ts';
import { enqueue } from './enqueue.ts';
import { get, list, queues, trail } from './inspect.ts';
import { LoopKeepAlive, unrefTimer } from './keep-alive.ts';
import { Locks } from './lock.ts';
import { prune, reap } from './maintain.ts';
import { MemoryNotifier } from './notifier.ts';
import { commit, duePlans, listPlans, plan } from './plans.ts';
import { Rows } from './rows.ts';
import { annotate, settle } from './settle.ts';
import { beat, disown, retire, workers } from './workers.ts';

/**
 * The reference store: everything in this process's memory, gone with it. Each verb runs to its end before it gives
 * the loop away, so verbs are atomic and apply in call order. The conformance suite checks the other stores against
 * the same sentences, not against this code.
 */
export class MemoryStore implements Store {
  readonly capabilities = {
    durable: false,
    shared: false,
    notify: false,
    transactions: false,
    plans: true,
    retentionBytes: true,
    parallel: false,
  } as const;
  readonly notifier = new MemoryNotifier();
  readonly lock: LeaseLock;
  readonly transactions = null;
  readonly #rows = new Rows();
  readonly #locks = new Locks();
  readonly #clock: Clock | undefined;
  readonly #keepAlives = new Set<KeepAlive>();
  #closed = false;

  constructor({ clock }: StoreOptions) {
    this.#clock = clock;
    this.lock = {
      acquire: async (request) => this.#do('acquire', (now) => this.#locks.acquire(request, now), request),
      release: async (request) => this.#do('release', () => this.#locks.release(request)),
    };
  }

  async enqueue(specs: readonly JobSpec[], options?: Timed) {
    return this.#do('enqueue', (now) => enqueue(this.#rows, specs, now), options);
  }

  async claim(request: ClaimRequest) {
    return this.#do('claim', (now) => claim(this.#rows, request, now), request);
  }

  async settle(settlements: readonly Settlement[], options?: Timed) {
    return this.#do('settle', (now) => settle(this.#rows, settlements, now), options);
  }

  async annotate(notes: readonly Note[]) {
    return this.#do('annotate', () => annotate(this.#rows, notes));
  }

  async beat(request: WorkerBeat) {
    return this.#do('beat', (now) => beat(this.#rows, request, now), request);
  }

  keepAlive(options: KeepAliveOptions): KeepAlive {
    this.#requireOpen('keepAlive');
    const after = this.#clock === undefined ? unrefTimer : this.#clock.after.bind(this.#clock);
    const keepAlive = new LoopKeepAlive(options, (request) => this.beat(request), after);
    this.#keepAlives.add(keepAlive);
    return keepAlive;
  }

  async disown(request: DisownRequest) {
    return this.#do('disown', (now) => disown(this.#rows, request, now), request);
  }

  async retire(workerId: string, options?: Timed) {
    return this.#do('retire', (now) => retire(this.#rows, workerId, now), options);
  }

  async workers(options?: Timed) {
    return this.#do('workers', (now) => workers(this.#rows, now), options);
  }

  async reap(request: ReapRequest = {}) {
    this.#requireOpen('reap');
    await overdueTimers();
    return this.#do('reap', (now) => reap(this.#rows, request, now), request);
  }

  async prune(request: PruneRequest = {}) {
    return this.#do('prune', (now) => prune(this.#rows, request, now), request);
  }

  async age(request: AgeRequest = {}) {
    return this.#do('age', (now) => age(this.#rows, request, now), request);
  }

  async configureQueue(queue: string, change: QueueChange, options?: Timed) {
    return this.#do('configureQueue', (now) => configureQueue(this.#rows, queue, change, now), options);
  }

  async queues() {
    return this.#do('queues', (now) => queues(this.#rows, now));
  }

  async clear(queue: string, states: readonly JobState[]) {
    const doomed = this.#do('clear', () => matching(this.#rows, queue, states));
    let jobs = 0;
    for (let start = 0; start < doomed.length; start += CLEAR_STEP) {
      if (start > 0) await new Promise<void>((resolve) => setImmediate(resolve));
      const step = doomed.slice(start, start + CLEAR_STEP);
      jobs += this.#apply((now) => clear(this.#rows, { queue, states, jobs: step }, now));
    }
    return jobs;
  }

  async control(commands: readonly JobCommand[], options?: Timed) {
    return this.#do('control', (now) => control(this.#rows, commands, now), options);
  }

  async get(ids: readonly string[]) {
    return this.#do('get', () => get(this.#rows, ids));
  }

  async list(filter: JobFilter) {
    return this.#do('list', () => list(this.#rows, filter));
  }

  async trail(id: string) {
    return this.#do('trail', () => trail(this.#rows, id));
  }

  async commit(units: readonly Unit[], options?: Timed) {
    return this.#do('commit', (now) => commit(this.#rows, units, now), options);
  }

  async duePlans(request: DueRequest) {
    return this.#do('duePlans', (now) => duePlans(this.#rows.plans, request, now), request);
  }

  async plan(key: string, kept: readonly string[] | 'all' = []) {
    return this.#do('plan', () => plan(this.#rows.plans, key, kept));
  }

  async listPlans(filter: PlanFilter) {
    return this.#do('listPlans', () => listPlans(this.#rows.plans, filter));
  }

  async close() {
    this.#closed = true;
    this.notifier.close();
    for (const keepAlive of this.#keepAlives) await keepAlive.close();
  }

  #do<T>(verb: string, work: (now: number) => T, time?: Timed): T {
    this.#requireOpen(verb);
    return this.#apply(work, time);
  }

  #apply<T>(work: (now: number) => T, time?: Timed): T {
    const result = work(time?.now ?? this.#clock?.now() ?? Date.now());
    const { topics } = this.#rows;
    if (topics.size > 0) {
      this.notifier.publish(topics);
      topics.clear();
    }
    return result;
  }

  #requireOpen(verb: string): void {
    if (this.#closed)
      throw new LongshoreError('STORE_CLOSED', `The store was closed before ${verb} was called.`, {
        details: { verb },
      });
  }
}

/** Jobs that are deleted in one turn of the event loop. */
const CLEAR_STEP = 5_000;

/** Resolves after one full turn of the event loop, timers included, wherever in a turn it is called. */
async function overdueTimers(): Promise<void> {
  for (let phase = 0; phase < 2; phase += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
