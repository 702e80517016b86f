import { type AttemptError, LongshoreError, optionInvalid, requireInteger, show } from '../core/errors.ts';
import type { Jsonified } from '../core/jsonified.ts';
import { knownNames, requireKnown, requireOptions } from '../core/options.ts';
import type { AnyDeclaration, TaskGiven, TaskResult } from '../core/task.ts';
import type { EventListener, EventName, Events } from '../telemetry/events.ts';

/**
 * Lets a test wait for what becomes of jobs, without polling and whether it happened before the wait or comes after it.
 * A spy hears the events of one connection, so the workers must be of that connection.
 */
export interface JobSpy {
  /**
   * The first job that fits, once it got there; at once if it did so since the spy was made or cleared. Rejects with
   * RESULT_TIMEOUT, which says what was seen instead, and OPTION_INVALID.
   */
  waitForJob<T extends AnyDeclaration = AnyDeclaration>(
    wanted?: WantedJob<T>,
    moment?: JobMoment,
    options?: { readonly timeoutMs?: number },
  ): Promise<SeenJob<T>>;
  /** Forgets what was seen. Waits go on. */
  clear(): void;
  /** Hears no more. */
  stop(): void;
}

export type JobMoment = 'enqueued' | 'started' | 'completed' | 'retried' | 'snoozed' | 'failed' | 'cancelled';

/** Which job; what is left out may be anything. */
export interface WantedJob<T extends AnyDeclaration = AnyDeclaration> {
  /** The task, its declaration, or its name. */
  readonly task?: T | string;
  readonly id?: string;
  /** Looks at the input as it is stored. A job that its queue does not keep cannot be looked at, and fits not. */
  readonly data?: (input: Jsonified<TaskGiven<T>>) => boolean;
}

/** A job at the moment that was waited for. */
export interface SeenJob<T extends AnyDeclaration = AnyDeclaration> {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** 0 where none has started. */
  readonly attempt: number;
  /** Of this attempt, for `retried` and `failed`. */
  readonly error: AttemptError | null;
  /** As they are stored when the wait ends; undefined where there is none, or the queue keeps nothing. */
  readonly input: Jsonified<TaskGiven<T>> | undefined;
  readonly result: Jsonified<TaskResult<T>> | undefined;
}

export interface JobSpyOptions {
  /** How many events are remembered; default 10,000. */
  readonly remember?: number;
}

/** What a spy needs of `connect`'s Longshore. */
export interface SpiedConnection {
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void;
  readonly jobs: { get(id: string): Promise<{ readonly input: unknown; readonly result: unknown } | null> };
}

/** Starts to hear of the jobs of `longshore`. Throws OPTION_INVALID. */
export function jobSpy(longshore: SpiedConnection, options: JobSpyOptions = {}): JobSpy {
  requireKnown('jobSpy', options, SPY_OPTIONS);
  const remember = requireInteger('remember', options.remember ?? REMEMBER_DEFAULT, 1);
  return new Spy(longshore, remember);
}

const REMEMBER_DEFAULT = 10_000;
const TIMEOUT_MS_DEFAULT = 10_000;
const SPY_OPTIONS = knownNames<JobSpyOptions>({ remember: true });
const WANTED = knownNames<WantedJob>({ task: true, id: true, data: true });
const WAIT_OPTIONS = knownNames<{ readonly timeoutMs?: number }>({ timeoutMs: true });

const MOMENTS: readonly JobMoment[] = [
  'enqueued',
  'started',
  'completed',
  'retried',
  'snoozed',
  'failed',
  'cancelled',
];

/** What an event told. */
interface Sighting {
  readonly moment: JobMoment;
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly attempt: number;
  readonly error: AttemptError | null;
}

class Spy implements JobSpy {
  readonly #longshore: SpiedConnection;
  readonly #remember: number;
  readonly #off: readonly (() => void)[];
  /** Oldest first. */
  #seen: Sighting[] = [];
  /** Those that wait, to be told of each event. */
  readonly #waits = new Set<(sighting: Sighting) => void>();

  constructor(longshore: SpiedConnection, remember: number) {
    this.#longshore = longshore;
    this.#remember = remember;
    this.#off = MOMENTS.map((moment) =>
      longshore.on(`job.${moment}`, (event) => {
        const sighting = sightingOf(moment, event);
        if (sighting !== null) this.#see(sighting);
      }),
    );
  }

  async waitForJob<T extends AnyDeclaration>(
    wanted: WantedJob<T> = {},
    moment: JobMoment = 'completed',
    options: { readonly timeoutMs?: number } = {},
  ): Promise<SeenJob<T>> {
    requireOptions('waitForJob', wanted, WANTED);
    requireKnown('the wait of waitForJob', options, WAIT_OPTIONS);
    if (!MOMENTS.includes(moment)) throw optionInvalid('the moment', moment, `one of ${MOMENTS.join(', ')}`);
    const timeoutMs = requireInteger('timeoutMs', options.timeoutMs ?? TIMEOUT_MS_DEFAULT, 1);
    const found = Promise.withResolvers<SeenJob<T>>();
    const look = (sighting: Sighting): void => {
      if (sighting.moment === moment && fits(sighting, wanted))
        this.#lookAt(sighting, wanted).then((job) => job !== null && found.resolve(job), found.reject);
    };
    this.#waits.add(look);
    for (const sighting of this.#seen) look(sighting);
    const timer = setTimeout(() => found.reject(this.#notSeen(wanted, moment, timeoutMs)), timeoutMs);
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#waits.delete(look);
    }
  }

  clear(): void {
    this.#seen = [];
  }

  stop(): void {
    for (const off of this.#off) off();
  }

  #see(sighting: Sighting): void {
    this.#seen.push(sighting);
    if (this.#seen.length > this.#remember) this.#seen.shift();
    for (const look of this.#waits) look(sighting);
  }

  /** Null where the input does not fit. */
  async #lookAt<T extends AnyDeclaration>(
    sighting: Sighting,
    { data }: WantedJob<T>,
  ): Promise<SeenJob<T> | null> {
    const kept = await this.#longshore.jobs.get(sighting.id);
    const input = kept?.input as Jsonified<TaskGiven<T>>;
    if (data !== undefined && (kept === null || !data(input))) return null;
    const { moment: _, ...facts } = sighting;
    return { ...facts, input, result: kept?.result as Jsonified<TaskResult<T>> | undefined };
  }

  #notSeen(wanted: WantedJob, moment: JobMoment, timeoutMs: number): LongshoreError {
    const near = this.#seen.filter((sighting) => fits(sighting, wanted)).slice(-SHOWN_MAX);
    const shown = near.map(
      ({ moment, task, id, error }) =>
        `${moment} ${task} ${id}${error === null ? '' : ` (${error.message})`}`,
    );
    const unlike = wanted.data === undefined ? '' : ', whatever their input';
    return new LongshoreError(
      'RESULT_TIMEOUT',
      `No job of ${describe(wanted)} was ${moment} within ${timeoutMs} ms. Seen of such jobs${unlike}: ${shown.join(', ') || 'nothing'}.`,
      { details: { timeoutMs } },
    );
  }
}

const SHOWN_MAX = 10;

/** An enqueue that met the holder of its unique key added nothing. */
function sightingOf(moment: JobMoment, event: Events[`job.${JobMoment}`]): Sighting | null {
  if ('status' in event && event.status === 'existing') return null;
  const { id, task, queue } = event;
  const attempt = 'attempt' in event ? event.attempt : 0;
  return { moment, id, task, queue, attempt, error: 'error' in event ? event.error : null };
}

function fits(sighting: Sighting, { task, id }: WantedJob): boolean {
  const name = typeof task === 'object' ? task.name : task;
  return (name === undefined || name === sighting.task) && (id === undefined || id === sighting.id);
}

function describe({ task, id }: WantedJob): string {
  const name = typeof task === 'object' ? task.name : task;
  const parts = [name === undefined ? 'any task' : `task ${show(name)}`];
  if (id !== undefined) parts.push(`with id ${show(id)}`);
  return parts.join(' ');
}
