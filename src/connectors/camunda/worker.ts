import type { Clock } from '../../core/clock.ts';
import { requireMs } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import { knownNames, requireKnown } from '../../core/options.ts';
import { Keeper } from '../../engine/keeper.ts';
import { createRunner, type Ended, type Runner } from '../../engine/runner.ts';
import { systemClock } from '../../system-clock.ts';
import { pause } from '../backoff.ts';
import type { Rest } from '../http/rest.ts';
import { type Say, sayTo } from '../http/say.ts';
import { Trouble } from '../http/trouble.ts';
import { type CamundaCounts, noCounts } from './counts.ts';
import type { CamundaJob } from './job.ts';
import { keepLock } from './locks.ts';
import { type CamundaOptions, type Checked, checkedOptions, type JobType } from './options.ts';
import { attemptOf, reportOf } from './outcomes.ts';
import { Poller } from './poller.ts';
import { Reports } from './reports.ts';
import { restOf } from './rest.ts';

export interface StopOptions {
  /** How long to wait for running jobs before their signals abort; default: the setting, 10 s. */
  readonly graceMs?: number;
}

const STOP_OPTIONS = knownNames<StopOptions>({ graceMs: true });

type KnownType = JobType & { readonly lockMs: number };

/** What goes wrong now; null: nothing. */
export interface CamundaHealth {
  readonly ok: boolean;
  readonly poll: Error | null;
  readonly report: Error | null;
  readonly lock: Error | null;
}

/**
 * Runs jobs of Camunda 8 as tasks: asks the cluster for as many as there are free slots, hands them to the runner, and tells how they
 * ended. Get one from `camundaWorker`.
 */
export class CamundaWorker {
  /** What the cluster shows as the worker. */
  readonly name: string;
  /** Lanes, slots, events, profiles and gauges of the jobs that run. */
  readonly runner: Runner;
  readonly #options: Checked;
  readonly #clock: Clock;
  readonly #counts = noCounts();
  readonly #say: Say;
  readonly #rest: Rest;
  readonly #poller: Poller;
  readonly #reports: Reports;
  readonly #keeper: Keeper;
  readonly #troubles: { readonly poll: Trouble; readonly report: Trouble; readonly lock: Trouble };
  /** Until they are told. */
  readonly #jobs = new Set<Promise<void>>();
  /** Of these, those that have not ended: the runner learns of one a little later than it is here. */
  #unended = 0;
  readonly #away = new AbortController();
  #starting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;
  #endRoom: () => void = () => undefined;

  constructor(options: Checked) {
    this.#options = options;
    const { runner, jobTypes, url, headers, tls, reportsMax } = options;
    this.#clock = runner.clock ?? systemClock;
    const tasks = [...new Set([...jobTypes.values()].map(({ task }) => task))];
    this.runner = createRunner({ ...runner, engine: 'camunda', tasks });
    this.name = options.name ?? this.runner.id;
    this.#say = sayTo(runner.logger, { workerId: this.runner.id });
    const trouble = (what: string): Trouble =>
      new Trouble({
        say: this.#say,
        now: () => this.#clock.now(),
        failing: (message) => `${what} fails, and is tried again: ${message}`,
        over: () => `${what} works again.`,
        differsBy: 'message',
      });
    this.#troubles = {
      poll: trouble('Asking for jobs'),
      report: trouble('Telling how jobs ended'),
      lock: trouble('Extending locks'),
    };
    this.#keeper = new Keeper({
      method: 'PATCH',
      url: `${url}/jobs/{id}`,
      headers,
      ...(tls === null ? {} : { tls }),
      onTrouble: (error, retryMs) => this.#troubles.lock.failed(error, retryMs),
      onWell: () => this.#troubles.lock.worked(),
    });
    this.#rest = restOf(options, {
      socketsMax: reportsMax + jobTypes.size,
      onAuthorization: (authorization) => this.#keeper.setHeaders({ authorization }),
    });
    const means = { rest: this.#rest, clock: this.#clock, counts: this.#counts, say: this.#say };
    this.#reports = new Reports({ ...means, max: reportsMax, trouble: this.#troubles.report });
    this.#poller = new Poller({
      ...means,
      ...options,
      types: [...jobTypes].map(([type, { task, lockMs, variables }]) => ({
        type,
        lockMs,
        variables,
        room: () => this.runner.free(task.name),
      })),
      room: () => this.#room(),
      limit: () => this.runner.limit,
      worker: this.name,
      trouble: this.#troubles.poll,
      onJobs: (type, jobs) => this.#accept(type, jobs),
      onLost: (error) => this.#onPollLost(error),
    });
  }

  /** What became of jobs since the worker was made. */
  get counts(): Readonly<CamundaCounts> {
    return { ...this.#counts };
  }

  /** As it is now, without asking the cluster. */
  health(): CamundaHealth {
    const { poll, report, lock } = this.#troubles;
    const faults = { poll: poll.fault, report: report.fault, lock: lock.fault };
    return { ok: Object.values(faults).every((fault) => fault === null), ...faults };
  }

  /**
   * Asks for jobs until it is stopped, and keeps the process alive. A cluster that cannot be reached is told of at once and asked
   * again for ever. Idempotent. Rejects as the runner does: OPTION_INVALID, WORKER_STOPPING.
   */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * Stops for good: asks for no more jobs, waits `graceMs` for those that run, then aborts them. Jobs that have not begun, and those
   * that the last polls bring, are handed back with all their retries. Resolves when the open polls are answered, which takes up to
   * `pollMs`, and all outcomes are told, or `requestTimeoutMs` after there was nothing else to wait for. Idempotent.
   */
  stop(options: StopOptions = {}): Promise<void> {
    requireKnown('stop', options, STOP_OPTIONS);
    const graceMs = requireMs('graceMs', options.graceMs ?? this.runner.settings.graceMs);
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(): Promise<void> {
    const { startupJitterMs, jobTypes, url } = this.#options;
    await this.runner.start();
    if (startupJitterMs > 0) await pause(this.#clock, Math.random() * startupJitterMs, this.#away.signal);
    if (this.#stopping !== null) return;
    this.#endRoom = this.runner.onRoom(() => this.#poller.pump());
    this.#say('info', `Asks ${url} for jobs of ${[...jobTypes.keys()].join(', ')} as ${this.name}.`);
    this.#poller.start();
  }

  async #stop(graceMs: number): Promise<void> {
    const { requestTimeoutMs } = this.#options;
    this.#away.abort();
    this.#endRoom();
    await Promise.all([this.#poller.stop(), this.runner.stop({ graceMs })]);
    const cancel = this.#clock.after(requestTimeoutMs, () => this.#reports.stop());
    while (this.#jobs.size > 0) await Promise.all(this.#jobs);
    cancel();
    this.#rest.close();
    await this.#keeper.close();
    this.#sayFarewell();
  }

  #sayFarewell(): void {
    const { untold, pollsLost, handedBack } = this.#counts;
    const seconds = Math.max(...[...this.#options.jobTypes.values()].map(({ lockMs }) => lockMs)) / 1_000;
    if (untold > 0)
      this.#say(
        'warn',
        `Stopped with ${untold} outcomes untold: their jobs run again when their locks end, within ${seconds} s.`,
      );
    if (pollsLost > 0)
      this.#say(
        'warn',
        `${pollsLost} polls ended without an answer: jobs that went into them wait for their locks to end, up to ${seconds} s.`,
      );
    this.#say(
      'info',
      `Stopped${handedBack === 0 ? '' : `; ${handedBack} jobs were handed back`}.`,
      this.counts,
    );
  }

  /** Outcomes that the cluster does not take hold new jobs up. */
  #room(): number {
    const { limit } = this.runner;
    const untold = this.#jobs.size - this.#unended;
    return Math.min(this.runner.free(), limit - this.#unended, limit + this.#options.reportsMax - untold);
  }

  #accept(type: string, jobs: readonly CamundaJob[]): void {
    this.#counts.activated += jobs.length;
    for (const job of jobs) {
      const done = this.#run(this.#options.jobTypes.get(type) as KnownType, job)
        .catch((error: unknown) => this.#say('error', `Job ${job.jobKey} is given up: ${reasonOf(error)}`))
        .finally(() => {
          this.#jobs.delete(done);
          this.#poller.pump();
        });
      this.#jobs.add(done);
    }
  }

  async #run(jobType: KnownType, job: CamundaJob): Promise<void> {
    const onLost = (): void => this.#onLost(job);
    const lock = keepLock(this.#keeper, job, { lockMs: jobType.lockMs, now: this.#clock.now(), onLost });
    try {
      this.#unended += 1;
      const ended = await this.#end(jobType, job, lock.signal).finally(() => {
        this.#unended -= 1;
      });
      // Whatever a handler makes of its abort: the job is somebody else's.
      if (lock.signal.aborted) return;
      lock.telling();
      const report = reportOf(ended, job, jobType, this.name);
      if (report !== null && (await this.#reports.tell(job, report)) === 'taken') this.#count(ended, report);
    } finally {
      lock.release();
    }
  }

  #onLost({ jobKey, type }: CamundaJob): void {
    this.#counts.locksLost += 1;
    this.#say('warn', `The lock of job ${jobKey} (${type}) is lost; its handler is stopped.`, { jobKey });
  }

  async #end({ task, input }: JobType, job: CamundaJob, signal: AbortSignal): Promise<Ended> {
    let given: unknown;
    try {
      given = input === undefined ? job.variables : input(job);
    } catch (error) {
      const failed = new Error(`The option input of job type '${job.type}' throws: ${reasonOf(error)}`, {
        cause: error,
      });
      return { state: 'failed', error: failed, retry: false, ms: 0 };
    }
    return this.runner.run({
      task: task.name,
      id: job.jobKey,
      queue: job.type,
      input: given,
      correlationId: job.processInstanceKey || job.jobKey,
      signal,
      ...attemptOf(job, task),
    });
  }

  #count(ended: Ended, report: { readonly kind: string; readonly retries?: number }): void {
    const counts = this.#counts;
    if (ended.state === 'released') counts.handedBack += 1;
    else if (ended.state === 'snoozed') counts.snoozed += 1;
    else if (report.kind === 'completion') counts.completed += 1;
    else if (report.kind === 'error') counts.errors += 1;
    else {
      counts.failed += 1;
      if (report.retries === 0) counts.incidents += 1;
    }
  }

  #onPollLost(error: unknown): void {
    this.#counts.pollsLost += 1;
    this.#say(
      'warn',
      `A poll ended without an answer (${reasonOf(error)}): jobs that went into it wait for their locks to end.`,
    );
  }
}

/**
 * A worker of Camunda 8 whose jobs run in Longshore's lanes and slots. Ask it to `start`. Needs no SDK.
 * Throws OPTION_INVALID, TASK_INVALID, TASK_DUPLICATE.
 */
export function camundaWorker(options: CamundaOptions): CamundaWorker {
  return new CamundaWorker(checkedOptions(options));
}
