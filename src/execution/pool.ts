import { LongshoreError } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import { crashError } from './crash.ts';
import { Host, unloadable } from './host.ts';
import type { HostEnd, HostStarter } from './host-starter.ts';
import { moduleUrl } from './importable.ts';
import type { LaneJob, LaneName } from './lane.ts';
import { type NumberedTask, numberedTask, PoolJob } from './pool-job.ts';
import type { HostSettings, Usage } from './protocol.ts';

/**
 * A pool of hosts of one kind: starts them when there is work, gives each as many jobs at a time as it may have, and
 * replaces those that died, were killed or have served their time. The hosts never keep the process alive.
 *
 * Whose fault is the death of a host? The job's whose code did it, where the host's last words tell; the only job's that
 * was in it; where several were in it and nobody knows, no one's: each runs again, in a new host with no other job, and
 * if that one dies, too, there is no doubt left. Jobs that are not to blame run again under the same attempt.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #hosts = new Set<Host>();
  readonly #tasks = new Map<string, NumberedTask>();
  #waiting: PoolJob[] = [];
  #lastNumber = 0;
  #closing: PromiseWithResolvers<void> | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Hosts that run, start or end. */
  get size(): number {
    return this.#hosts.size;
  }

  /** Jobs in hosts. */
  get busy(): number {
    let jobs = 0;
    for (const host of this.#hosts) jobs += host.jobs.size;
    return jobs;
  }

  /** Jobs that wait for a host. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Jobs that would find a place in a host now. */
  get room(): number {
    const { jobsPerHost, size } = this.#options;
    let places = (size - this.#hosts.size) * jobsPerHost - this.#waiting.length;
    for (const { jobs, retiring, reserved } of this.#hosts)
      if (!retiring && !reserved) places += jobsPerHost - jobs.size;
    return places;
  }

  /** `onUsage` has the job measured. Rejects with what the handler threw, an UnfitJob, LANE_CRASHED, LANE_OUT_OF_MEMORY, TASK_MODULE_UNLOADABLE. */
  run(task: AnyTask, job: LaneJob, onUsage?: (usage: Usage) => void): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const entry = new PoolJob(++this.#lastNumber, {
        task: this.#numbered(task),
        job,
        resolve,
        reject,
        onUsage,
        onAbort: (entry, reason) => this.#abort(entry, reason),
        onKill: (entry) => this.#hostOf(entry)?.kill({ job: entry, error: entry.job.abortReason }),
      });
      job.stopper = entry;
      this.#waiting.push(entry);
      this.#dispatch();
    });
  }

  /** Ends all hosts; jobs in them or on the way to them are rejected. Resolves when none is left. May be used again. */
  close(): Promise<void> {
    if (this.#closing !== null) return this.#closing.promise;
    if (this.#hosts.size === 0) return Promise.resolve();
    this.#closing = Promise.withResolvers();
    const error = new LongshoreError('WORKER_STOPPING', 'The pool of hosts is closed.');
    for (const entry of this.#waiting.splice(0)) entry.reject(error);
    for (const host of this.#hosts) {
      if (host.jobs.size === 0) host.close();
      else host.kill({ job: null, error });
    }
    return this.#closing.promise;
  }

  #dispatch(): void {
    if (this.#closing !== null) return;
    while (this.#waiting.length > 0) {
      const entry = this.#waiting[0] as PoolJob;
      const host = entry.alone ? this.#newHostForOne() : this.#hostFor(entry);
      if (host === null) return;
      this.#waiting.shift();
      host.reserved = entry.alone;
      host.take(entry);
    }
  }

  /** A host with room: rather one that knows the task, then the one with the least to do, then a new one before a second job in an old one. */
  #hostFor({ task }: PoolJob): Host | null {
    const { jobsPerHost } = this.#options;
    let best: Host | null = null;
    for (const host of this.#hosts) {
      const jobs = host.jobs.size;
      if (host.retiring || host.reserved || jobs >= jobsPerHost) continue;
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
    if (this.#waiting.length > 0) this.#dispatch();
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

  #abort(entry: PoolJob, reason: LongshoreError): void {
    const host = this.#hostOf(entry);
    if (host !== undefined) {
      host.abort(entry, reason);
      return;
    }
    const at = this.#waiting.indexOf(entry);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    entry.reject(reason);
    this.#options.onRoom();
  }

  #ended(host: Host, end: HostEnd): void {
    this.#hosts.delete(host);
    const entries = [...host.jobs.values()];
    const blamed = blame(host, entries);
    const error = this.#report(host, end, blamed);
    const again = entries.filter((entry) => entry !== blamed);
    if (blamed !== null)
      blamed.reject(host.killed?.error ?? (blamed.running ? error : this.#loadError(blamed, error, host)));
    for (const entry of again.reverse()) this.#again(entry, host, blamed === null);
    if (this.#closing === null) {
      this.#dispatch();
      this.#options.onRoom();
    } else if (this.#hosts.size === 0) {
      this.#closing.resolve();
      this.#closing = null;
    }
  }

  /** A job that is not to blame, or perhaps not. */
  #again(entry: PoolJob, host: Host, doubtful: boolean): void {
    const { abortReason } = entry.job;
    const over = abortReason ?? (this.#closing === null ? null : host.killed?.error);
    if (over !== null) {
      entry.reject(over);
      return;
    }
    entry.running = false;
    entry.job.wait();
    entry.alone ||= doubtful;
    this.#waiting.unshift(entry);
  }

  /** A host that never spoke is no fault of the module. */
  #loadError(entry: PoolJob, error: LongshoreError, host: Host): LongshoreError {
    return host.ready ? unloadable(entry, error) : error;
  }

  #report(host: Host, end: HostEnd, blamed: PoolJob | null): LongshoreError {
    const { lane, settings, onHost } = this.#options;
    const error = crashError({ lane, settings, host, end, task: blamed?.task.name ?? null });
    const why = reasonOf(host, end);
    const message = why === 'crashed' || why === 'outOfMemory' ? error.message : null;
    onHost({ type: 'ended', lane, host: host.id, why, jobsRun: host.taken, message });
    return error;
  }

  #numbered(task: AnyTask): NumberedTask {
    const module = moduleUrl(task.module ?? '');
    const key = `${module}\n${task.name}`;
    let numbered = this.#tasks.get(key);
    if (numbered === undefined) {
      numbered = numberedTask(this.#tasks.size, task, module);
      this.#tasks.set(key, numbered);
    }
    return numbered;
  }
}

export interface PoolOptions {
  readonly lane: LaneName;
  readonly start: HostStarter;
  /** Most hosts at a time. */
  readonly size: number;
  /** Jobs at a time in one host. */
  readonly jobsPerHost: number;
  /** A host is replaced after so many jobs; 0: never. */
  readonly recycleJobs: number;
  readonly settings: HostSettings;
  readonly onHost: (event: HostEvent) => void;
  /** There may be room again. */
  readonly onRoom: () => void;
}

export type HostEvent =
  | { readonly type: 'started'; readonly lane: LaneName; readonly host: number }
  | {
      readonly type: 'ended';
      readonly lane: LaneName;
      readonly host: number;
      /** `killed` to stop a job's code; `retired` because of its age, its memory, a failed import, or the end of the pool. */
      readonly why: 'crashed' | 'outOfMemory' | 'killed' | 'retired';
      readonly jobsRun: number;
      /** What happened, where it crashed. */
      readonly message: string | null;
    };

function blame(host: Host, entries: readonly PoolJob[]): PoolJob | null {
  if (host.killed !== null) return host.killed.job;
  const culprit = host.lastWords?.job ?? null;
  if (culprit !== null) return host.jobs.get(culprit) ?? null;
  return entries.length === 1 ? (entries[0] as PoolJob) : null;
}

function reasonOf(host: Host, end: HostEnd): 'crashed' | 'outOfMemory' | 'killed' | 'retired' {
  if (host.killed !== null) return 'killed';
  if (end.outOfMemory) return 'outOfMemory';
  return host.retiring && host.lastWords === null && host.jobs.size === 0 ? 'retired' : 'crashed';
}
