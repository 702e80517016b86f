import { hostname } from 'node:os';
import { knownNames, requireKnown } from '../../core/options.ts';
import { Keeper } from '../../engine/keeper.ts';
import { createRunner, type Runner } from '../../engine/runner.ts';
import type { Ended } from '../../engine/work.ts';
import { systemClock } from '../../system-clock.ts';
import type { EventListener, EventName } from '../../telemetry/events.ts';
import type { Trouble as TroubleSince } from '../../worker/trouble.ts';
import { Backoff, pause } from '../backoff.ts';
import { runnerOptions } from '../http/options.ts';
import type { Rest } from '../http/rest.ts';
import { type Say, sayTo } from '../http/say.ts';
import { Trouble } from '../http/trouble.ts';
import { withEnvironment } from './environment.ts';
import { attemptsOf, createdAt, type ExternalTask } from './external-task.ts';
import { Fetcher } from './fetcher.ts';
import { Held } from './held.ts';
import { type Checked, checkedOptions, type OperatonOptions } from './options.ts';
import { Reports } from './reports.ts';
import { restOf } from './rest.ts';
import { Resting } from './resting.ts';
import { emptyTally, type OperatonTally } from './tally.ts';
import { readVariables } from './variables.ts';
import { versionOf } from './version.ts';

export interface OperatonStopOptions {
  /** How long to wait for running tasks before their signals abort; default: the setting, 10 s. */
  readonly graceMs?: number;
}

export interface OperatonHealth {
  readonly id: string;
  /** The engine takes what the worker sends. */
  readonly ok: boolean;
  readonly started: boolean;
  /** `Operaton 1.0.3`; null before it has answered. */
  readonly engine: string | null;
  readonly running: number;
  /** Since when the engine cannot be asked, and why. */
  readonly trouble: TroubleSince | null;
}

const STOP_OPTIONS = knownNames<OperatonStopOptions>({ graceMs: true });

/** Made by `operatonWorker`. */
export class OperatonWorker {
  /** The worker's id at the engine: `longshore-host-4711-k3f9x2ab`. */
  readonly id: string;
  readonly #checked: Checked;
  /** Its lanes and slots: for `runners` of metrics. */
  readonly runner: Runner;
  readonly #rest: Rest;
  readonly #say: Say;
  readonly #trouble: Trouble;
  readonly #reports: Reports;
  readonly #keeper: Keeper;
  readonly #held = new Map<string, Held>();
  readonly #resting = new Resting();
  readonly #tally = emptyTally();
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  /** Tasks from their fetch until their end is told. */
  readonly #works = new Set<Promise<void>>();
  #wake: (() => void) | null = null;
  #fetching: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;
  #engine: string | null = null;

  /** Throws OPTION_INVALID, TASK_INVALID, TASK_DUPLICATE. */
  constructor(options: OperatonOptions) {
    const given = withEnvironment(options, process.env);
    this.#checked = checkedOptions(given);
    const tasks = [...new Set([...this.#checked.topics.values()].map(({ task }) => task))];
    this.runner = createRunner({ ...runnerOptions(given), engine: 'operaton', tasks });
    const random = Math.floor(Math.random() * 36 ** 8).toString(36);
    this.id = `${this.#checked.name}-${hostname()}-${process.pid}-${random}`;
    const { url, headers, tls, reportsMax } = this.#checked;
    this.#rest = restOf(this.#checked, {
      onAuthorization: (authorization) => this.#keeper.setHeaders({ authorization }),
      socketsMax: reportsMax + EXTRA_SOCKETS,
    });
    this.#say = sayTo(given.logger);
    this.#trouble = new Trouble({
      say: this.#say,
      now: Date.now,
      failing: (message) => `${message} The worker keeps trying.`,
      over: (lasted) => `Operaton answers again, after ${lasted}.`,
      differsBy: 'code',
    });
    const onTrouble = (error: unknown): void => this.#onTrouble(error);
    this.#reports = new Reports({ rest: this.#rest, workerId: this.id, onTrouble, max: reportsMax });
    this.#keeper = new Keeper({
      method: 'POST',
      url: `${url}/external-task/{id}/extendLock`,
      headers,
      ...(tls === null ? {} : { tls }),
      lostStatuses: LOCK_LOST,
      onTrouble,
    });
  }

  /** Of the engine's REST API. */
  get address(): string {
    return this.#rest.address;
  }

  /** Ends so far. */
  get tally(): Readonly<OperatonTally> {
    return this.#tally;
  }

  /** Tasks whose locks it holds. */
  get held(): number {
    return this.#held.size;
  }

  health(): OperatonHealth {
    const { fault, since } = this.#trouble;
    const started = this.#fetching !== null && this.#stopped === null;
    return {
      id: this.id,
      ok: started && fault === null && this.#engine !== null,
      started,
      engine: this.#engine,
      running: this.runner.running,
      trouble: fault === null ? null : { since, code: fault.code, message: fault.message },
    };
  }

  /** Calls `listener` for each event of that name, those of a worker: `job.started`, `job.completed` … The returned function ends that. */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void {
    return this.runner.on(name, listener);
  }

  /**
   * Begins to fetch tasks. Resolves before the engine has answered: one that is away is told of at once, and tried again until it
   * answers. Rejects with OPTION_INVALID where another worker of this process has other settings of the tuner.
   */
  async start(): Promise<void> {
    if (this.#fetching !== null) return;
    await this.runner.start();
    this.#fetching = this.#fetch();
  }

  /**
   * Stops for good: no more tasks are fetched, what a last fetch brings is unlocked, running tasks get `graceMs` and then their
   * signals abort, and what was not finished is unlocked. Idempotent.
   */
  stop(options: OperatonStopOptions = {}): Promise<void> {
    requireKnown('stop', options, STOP_OPTIONS);
    this.#stopped ??= this.#end(options);
    return this.#stopped;
  }

  /** Null: the engine answered. */
  #onTrouble(error: unknown): void {
    if (error === null) this.#trouble.worked();
    else this.#trouble.failed(error);
  }

  async #fetch(): Promise<void> {
    const { signal: stop } = this.#stop;
    const onRoom = this.runner.onRoom(() => this.#wake?.());
    if (await this.#meet(stop)) {
      const fetcher = new Fetcher({
        rest: this.#rest,
        workerId: this.id,
        checked: this.#checked,
        room: (topic) => this.#room(topic),
        untilRoom: (signal) => this.#untilRoom(signal),
        take: (task) => this.#take(task),
        held: () => [...this.#held.keys(), ...this.#resting.ids()],
        onTrouble: (error) => this.#onTrouble(error),
      });
      await fetcher.run(stop, this.#abandon.signal);
    }
    onRoom();
  }

  /** Asks the engine for its version until it answers. False where the worker stops before. */
  async #meet(stop: AbortSignal): Promise<boolean> {
    const backoff = new Backoff(MEET_RETRY_MAX_MS);
    while (!stop.aborted) {
      try {
        this.#engine = await versionOf(this.#rest, stop);
        this.#onTrouble(null);
        return true;
      } catch (error) {
        if (stop.aborted) break;
        this.#onTrouble(error);
        await pause(systemClock, backoff.next(), stop);
      }
    }
    return false;
  }

  /** Nothing is fetched while ends that the engine does not take pile up. */
  #room(topic?: string): number {
    if (this.#reports.pending >= this.runner.limit + this.#checked.reportsMax) return 0;
    const task = topic === undefined ? undefined : this.#checked.topics.get(topic)?.task.name;
    return this.runner.free(task);
  }

  #untilRoom(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        signal.removeEventListener('abort', end);
        this.#wake = null;
        resolve();
      };
      this.#wake = end;
      signal.addEventListener('abort', end);
    });
  }

  #take(task: ExternalTask): void {
    const topic = this.#checked.topics.get(task.topicName);
    if (topic === undefined) return;
    // Its lock ended unextended, as when the process stood still; what still runs of it is another attempt.
    this.#held.get(task.id)?.lose('it ended, and the task was fetched again.');
    const lock = this.#keeper.hold(task.id, {
      intervalMs: topic.lockMs / 3,
      body: JSON.stringify({ workerId: this.id, newDuration: topic.lockMs }),
    });
    const held = new Held(task, topic, lock);
    this.#held.set(task.id, held);
    const work = this.#work(held).finally(() => {
      held.release();
      if (this.#held.get(task.id) === held) this.#held.delete(task.id);
      this.#works.delete(work);
      this.#wake?.();
    });
    this.#works.add(work);
  }

  async #work(held: Held): Promise<void> {
    const ended = await this.#run(held);
    const { as, restMs } = await this.#reports.tell(held, ended);
    this.#tally[as] += 1;
    if (restMs > 0) this.#resting.add(held.id, restMs);
    if (as === 'lost') this.#tellLost(held, ended);
  }

  async #run(held: Held): Promise<Ended> {
    const { task, topic } = held;
    if (this.#stop.signal.aborted) return { state: 'released' };
    try {
      return await this.runner.run({
        task: topic.task.name,
        id: task.id,
        queue: task.topicName,
        input: topic.input === undefined ? readVariables(task.variables) : topic.input(task),
        ...attemptsOf(task, topic.task.attempts),
        correlationId: correlationIdOf(task),
        enqueuedAt: createdAt(task),
        signal: held.signal,
      });
    } catch (error) {
      // Its variables, or the topic's own `input`: the same at any other attempt.
      return { state: 'failed', error: error as Error, retry: false, ms: 0 };
    }
  }

  #tellLost(held: Held, ended: Ended): void {
    const { id, topicName: queue } = held.task;
    const facts = { event: 'job.lost', id, queue, task: held.topic.task.name, outcome: ended.state };
    this.#say(
      'warn',
      `external task ${id} of topic ${queue} lost its lock; the outcome '${ended.state}' was refused, and another worker runs it.`,
      facts,
    );
  }

  async #end({ graceMs = this.runner.settings.graceMs }: OperatonStopOptions): Promise<void> {
    this.#stop.abort();
    const late = setTimeout(() => this.#abandon.abort(), graceMs);
    await Promise.all([this.#fetching, this.runner.stop({ graceMs })]);
    clearTimeout(late);
    // An end that the engine does not take by now is given up: its lock ends by itself.
    const last = setTimeout(() => this.#reports.giveUp(), LAST_REPORTS_MS);
    await Promise.all(this.#works);
    clearTimeout(last);
    await this.#keeper.close();
    this.#rest.close();
  }
}

/** The task is gone (404); the lock ended, or another worker holds it (400). */
const LOCK_LOST = [400, 404];

/** For the fetch and for locks that are extended, beside reports. */
const EXTRA_SOCKETS = 4;
const MEET_RETRY_MAX_MS = 10_000;
const LAST_REPORTS_MS = 2_000;

/** Business keys are what people look for; they may be longer than an id of ours. */
function correlationIdOf({ businessKey, processInstanceId }: ExternalTask): string {
  return businessKey !== null && /^[^\p{Cc}]{1,200}$/u.test(businessKey) ? businessKey : processInstanceId;
}
