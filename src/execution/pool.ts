import { LongshoreError } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import { batchOf, Hands, putBack } from './batch.ts';
import { blame, crashError, type Death, faultOf, reasonOf } from './crash.ts';
import { Host } from './host.ts';
import type { HostEnd } from './host-starter.ts';
import type { LaneJob } from './lane.ts';
import { NumberedTasks } from './numbered-task.ts';
import { PoolJob } from './pool-job.ts';
import type { PoolOptions, RunOptions } from './pool-options.ts';

/**
 * A pool of hosts of one kind: starts them when there is work, gives each as many jobs at a time as it may have, and
 * replaces those that died, were killed or have served their time. The hosts never keep the process alive.
 *
 * Whose fault is the death of a host? The job's whose code did it, where the host's last words tell; the only job's that
 * was in it; where several were in it and nobody knows, no one's: each runs again, in a new host with no other job, and
 * if that one dies, too, there is no doubt left. Jobs that are not to blame run again under the same attempt.
 *
 * Short jobs are handed to a host in *batches*, by what was measured: a message there and one back, with a wake-up of each
 * side, cost more than such a job. None waits behind one that turns out long: where no job of a batch ends for some
 * milliseconds, those that have not begun come back (slate.ts).
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #hosts = new Set<Host>();
  readonly #tasks = new NumberedTasks();
  #waiting: PoolJob[] = [];
  /** Jobs that wait to be handed out behind others that wait. */
  #early: PoolJob[] = [];
  /** What is said of those that wait, by owner; of this turn. */
  readonly #hands = new Hands();
  #dispatching = false;
  #batches: boolean;
  #looking: NodeJS.Timeout | null = null;
  #lastNumber = 0;
  #closing: PromiseWithResolvers<void> | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#batches = options.jobsPerHost === 1;
  }

  /** Hosts that run, start or end. */
  get size(): number {
    return this.#hosts.size;
  }

  /** Jobs that wait for a host. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Jobs that would find a place in a host now, beside those that are handed out early. */
  get room(): number {
    const { jobsPerHost, size } = this.#options;
    let places = (size - this.#hosts.size) * jobsPerHost - this.#waiting.length;
    for (const { jobs, retiring, reserved, inBatch } of this.#hosts)
      if (!retiring && !reserved && !inBatch) places += jobsPerHost - jobs.size;
    return places;
  }

  /** Whether a job could be handed out early, behind one of the same owner that started in this turn. */
  roomBehind(task: AnyTask, owner: object): boolean {
    return this.#batches && this.#hands.roomBehind(this.#tasks.of(task), owner);
  }

  /** Rejects with what the handler threw, an UnfitJob, LANE_CRASHED, LANE_OUT_OF_MEMORY, TASK_MODULE_UNLOADABLE. */
  run(task: AnyTask, job: LaneJob, { owner, onUsage }: RunOptions): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const entry = new PoolJob(++this.#lastNumber, {
        task: this.#tasks.of(task),
        job,
        owner,
        onUsage,
        resolve,
        reject,
        keeper: this,
      });
      job.stopper = entry;
      (job.early ? this.#early : this.#waiting).push(entry);
      this.#hands.add(entry);
      this.#dispatchSoon();
    });
  }

  /** Puts back the jobs that were handed out early and have not begun. Of all others in hosts it is known then whether they have. */
  takeBack(): void {
    this.#giveBack(this.#early.splice(0));
    for (const host of this.#hosts) this.#giveBack(host.takeBack());
  }

  /** Ends all hosts; jobs in them or on the way to them are rejected. Resolves when none is left. May be used again. */
  close(): Promise<void> {
    if (this.#closing !== null) return this.#closing.promise;
    if (this.#hosts.size === 0) return Promise.resolve();
    this.#closing = Promise.withResolvers();
    const error = new LongshoreError('WORKER_STOPPING', 'The pool of hosts is closed.');
    for (const entry of [...this.#waiting.splice(0), ...this.#early.splice(0)]) entry.reject(error);
    for (const host of this.#hosts) for (const entry of host.takeBack()) entry.reject(error);
    for (const host of this.#hosts) {
      if (host.jobs.size === 0) host.close();
      else host.kill({ job: null, error });
    }
    return this.#closing.promise;
  }

  abort(entry: PoolJob, reason: LongshoreError): void {
    const host = this.#hostOf(entry);
    if (host !== undefined) {
      // A host hears of a stop only between its jobs; one that has not begun must not begin.
      this.#giveBack(host.takeBack());
      if (host.jobs.has(entry.number)) host.abort(entry, reason);
      return;
    }
    const line = this.#early.includes(entry) ? this.#early : this.#waiting;
    const at = line.indexOf(entry);
    if (at < 0) return;
    line.splice(at, 1);
    entry.reject(reason);
    this.#options.onRoom();
  }

  kill(entry: PoolJob): void {
    const host = this.#hostOf(entry);
    if (host === undefined) return;
    this.#giveBack(host.takeBack());
    // It may have ended, or not have begun: then another one runs there.
    if (host.jobs.has(entry.number)) host.kill({ job: entry, error: entry.job.abortReason });
  }

  /** Another host may have room for them, but not before whoever takes them back is done. */
  #giveBack(entries: readonly PoolJob[]): void {
    if (entries.length === 0) return;
    putBack(entries);
    queueMicrotask(() => this.#options.onRoom());
  }

  /** When all that start in this turn have come: they are handed out together. */
  #dispatchSoon(): void {
    if (this.#dispatching) return;
    this.#dispatching = true;
    queueMicrotask(() => {
      this.#dispatching = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    this.#hands.clear();
    if (this.#closing !== null) return;
    while (this.#waiting.length > 0) {
      const entry = this.#waiting[0] as PoolJob;
      const host = entry.alone ? this.#newHostForOne() : this.#hostFor(entry);
      if (host === null) break;
      this.#waiting.shift();
      host.reserved = entry.alone;
      const batch = this.#batchOf(entry, host);
      if (batch.length > 1) this.#lookLater();
      host.take(batch);
    }
    putBack(this.#early.splice(0));
  }

  #batchOf(first: PoolJob, host: Host): PoolJob[] {
    if (host.ready) this.#batches &&= host.takesBatches;
    if (this.#early.length === 0 || !host.takesBatches) return [first];
    const { recycleJobs } = this.#options;
    const left = recycleJobs > 0 ? recycleJobs - host.taken : Number.POSITIVE_INFINITY;
    // The others leave as many to it as they will have themselves.
    const share = 1 + Math.ceil(this.#early.length / (this.#waiting.length + 1));
    return batchOf(first, this.#early, { host, jobsMax: Math.min(left, share) });
  }

  /** While hosts have batches. Jobs that wait for a host put this off: they come from jobs that have ended. */
  #lookLater(): void {
    this.#looking ??= setTimeout(() => {
      this.#looking = null;
      this.#look();
    }, this.#options.lookMs ?? LOOK_MS).unref();
  }

  #look(): void {
    let came = false;
    for (const host of this.#hosts) {
      if (!host.looksPay) continue;
      const entries = host.look();
      if (entries.length > 0) {
        came = true;
        // It is not as short as it was, or its host has no core; both are a reason to hand out fewer.
        host.current?.task.observe(LOOK_MS);
        putBack(entries);
      }
      if (host.looksPay) this.#lookLater();
    }
    if (came) this.#options.onRoom();
  }

  /** A host with room: rather one that knows the task, then the one with the least to do, then a new one before a second job in an old one. */
  #hostFor({ task }: PoolJob): Host | null {
    const { jobsPerHost } = this.#options;
    let best: Host | null = null;
    for (const host of this.#hosts) {
      const jobs = host.jobs.size;
      if (host.retiring || host.reserved || host.inBatch || jobs >= jobsPerHost) continue;
      if (best === null || jobs < best.jobs.size) best = host;
      else if (jobs === best.jobs.size && host.has(task.number) && !best.has(task.number)) best = host;
    }
    if ((best === null || best.jobs.size > 0) && this.#hosts.size < this.#options.size)
      return this.#startHost();
    return best;
  }

  /** Makes room for a new host where there is none. */
  #newHostForOne(): Host | null {
    if (this.#hosts.size < this.#options.size) return this.#startHost();
    const leaving = [...this.#hosts];
    if (leaving.some((host) => host.retiring)) return null;
    leaving.sort((a, b) => a.jobs.size - b.jobs.size);
    this.#retire(leaving[0] as Host);
    return null;
  }

  #startHost(): Host {
    const { lane, start, settings } = this.#options;
    const host = new Host({
      lane,
      start,
      settings,
      onFree: (freed) => this.#freed(freed),
      onEnd: (ended, end) => this.#ended(ended, end),
    });
    this.#hosts.add(host);
    this.#options.onHost({ type: 'started', lane, host: host.id });
    return host;
  }

  #freed(host: Host): void {
    const { recycleJobs } = this.#options;
    if (host.reserved && host.jobs.size === 0) host.reserved = false;
    if (host.retiring || (recycleJobs > 0 && host.taken >= recycleJobs)) this.#retire(host);
    if (this.#waiting.length > 0) this.#dispatchSoon();
    this.#options.onRoom();
  }

  #retire(host: Host): void {
    host.retiring = true;
    if (host.jobs.size === 0) host.close();
  }

  #hostOf(entry: PoolJob): Host | undefined {
    for (const host of this.#hosts) if (host.jobs.get(entry.number) === entry) return host;
    return undefined;
  }

  #ended(host: Host, end: HostEnd): void {
    this.#hosts.delete(host);
    const unbegun = host.takeBack();
    const entries = [...host.jobs.values()].reverse();
    const blamed = blame(host);
    const error = this.#report(host, end, blamed);
    blamed?.reject(host.killed?.error ?? faultOf(blamed, host, error));
    for (const entry of entries)
      if (entry !== blamed) this.#again(entry, { host, error, doubtful: blamed === null });
    putBack(unbegun);
    if (this.#closing === null) {
      this.#dispatch();
      this.#options.onRoom();
    } else if (this.#hosts.size === 0) {
      this.#closing.resolve();
      this.#closing = null;
    }
  }

  /** A job that is not to blame, or perhaps not. One whose end may have committed fails with `error`, and must not run again here. */
  #again(entry: PoolJob, { host, error, doubtful }: Death): void {
    const closed = this.#closing === null ? null : (host.killed?.error ?? error);
    const over = entry.job.abortReason ?? closed ?? (entry.job.endsByItself ? error : null);
    if (over !== null) {
      entry.reject(over);
      return;
    }
    entry.running = false;
    entry.job.wait();
    entry.alone ||= doubtful;
    this.#waiting.unshift(entry);
  }

  #report(host: Host, end: HostEnd, blamed: PoolJob | null): LongshoreError {
    const { lane, settings, onHost } = this.#options;
    const error = crashError({ lane, settings, host, end, task: blamed?.task.name ?? null });
    const why = reasonOf(host, end);
    const message = why === 'crashed' || why === 'outOfMemory' ? error.message : null;
    onHost({ type: 'ended', lane, host: host.id, why, jobsRun: host.taken, message });
    return error;
  }
}

const LOOK_MS = 2;
