import { channel } from 'node:diagnostics_channel';
import { type AttemptError, optionInvalid } from '../core/errors.ts';
import type { JobState } from '../core/job-state.ts';
import { unknownName } from '../core/options.ts';
import { outsideOfJobs } from '../current-job.ts';
import type { PlanEvents } from './plan-events.ts';

/**
 * The one catalogue of events. Each is published to typed listeners of one `Longshore` (longshore.on) and to the
 * process-wide diagnostics channel `longshore:<name>`. Listeners run synchronously on the hot path: keep them short.
 * Exporters (logs, metrics, traces) subscribe here; only the composition root and the command line import them.
 */

/** Facts every event of a job carries. */
export interface JobFacts {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  /** The one of the job's meta, or of the run it is a step of, or its id. */
  readonly correlationId: string;
}

export interface AttemptFacts extends JobFacts {
  readonly attempt: number;
}

/** Where no attempt ended, both times are 0. */
export interface EndFacts extends AttemptFacts {
  /** From claimable to claimed, ms. */
  readonly waitMs: number;
  /** Time in the handler, ms. */
  readonly runMs: number;
}

/** `by` is there where a command ended the job, as its audit trail has it. */
export interface EndByHandFacts extends EndFacts {
  readonly by?: string;
}

/** The events by name. */
export interface Events extends PlanEvents {
  'job.enqueued': JobFacts & {
    readonly status: 'created' | 'existing' | 'replaced';
    readonly state: JobState;
  };
  'job.started': AttemptFacts & { readonly waitMs: number };
  /** Also of a failed job that was resolved by hand. */
  'job.completed': EndByHandFacts;
  'job.retried': EndFacts & { readonly error: AttemptError; readonly delayMs: number };
  'job.failed': EndFacts & { readonly error: AttemptError };
  /** Of a job that waited, at once; of one that ran, when it stopped. */
  'job.cancelled': EndByHandFacts;
  'job.snoozed': EndFacts & { readonly delayMs: number };
  /** Given back unstarted. */
  'job.released': AttemptFacts;
  /** The store refused the outcome, or a beat told before that the lease is gone: another worker may own the job. */
  'job.lost': AttemptFacts & { readonly outcome: string };
  /** A line that the handler logged; `data` is as it was given. */
  'job.logged': AttemptFacts & { readonly message: string; readonly data: unknown };
  /** The handler told its progress, as it was given. */
  'job.progressed': AttemptFacts & { readonly progress: unknown };
  /** 80 % of the timeout have passed. */
  'job.slow': AttemptFacts & { readonly runMs: number; readonly timeoutMs: number };
  /** The handler ignored its abort signal; its slot is given away and its outcome is decided without it. */
  'job.abandoned': AttemptFacts & {
    readonly runMs: number;
    readonly reason: string;
    /** Its code was stopped, as it can be in a thread or process; inline it may run on. */
    readonly stopped: boolean;
  };
  /** A lease expired and was taken back. Where the job ended by that, the event of its end follows. */
  'job.expired': JobFacts & { readonly state: JobState; readonly crashes: number };
  'worker.started': {
    readonly workerId: string;
    readonly tasks: readonly string[];
    readonly queues: readonly string[];
    readonly slots: number;
  };
  'worker.stopping': { readonly workerId: string; readonly running: number; readonly graceMs: number };
  'worker.stopped': { readonly workerId: string; readonly aborted: number; readonly released: number };
  'worker.claimed': {
    readonly workerId: string;
    readonly jobs: number;
    readonly limit: number;
    readonly tookMs: number;
  };
  'worker.settled': { readonly workerId: string; readonly jobs: number; readonly tookMs: number };
  /** Where a task's jobs run from now on: decided by its hint or by measurement (strategy `auto`). Averages of `samples` measured jobs. */
  'task.strategyChosen': {
    readonly workerId: string;
    readonly task: string;
    readonly lane: 'inline' | 'thread' | 'process';
    readonly reason: string;
    readonly samples: number;
    readonly busyMs: number;
    readonly wallMs: number;
  };
  /**
   * A handler held the event loop for longer than `blockedMs` of the settings, or, where not `certain`, was one of several
   * that may have. Told by workers that have tasks with the strategy `auto`.
   */
  'task.blocked': {
    readonly workerId: string;
    readonly task: string;
    readonly blockedMs: number;
    readonly limitMs: number;
    readonly certain: boolean;
  };
  /** A worker claimed a job whose task it does not have. The job goes back uncharged for so long; told each time. */
  'task.unknown': JobFacts & { readonly workerId: string; readonly delayMs: number };
  /**
   * A worker claimed a job whose input it cannot open, or whose handler asked for progress it cannot open: `KEY_UNKNOWN`, it
   * lacks the key; `PAYLOAD_PLAIN`, it takes encrypted payloads only. The job goes back uncharged for so long; told each time.
   */
  'payload.unopened': JobFacts & {
    readonly workerId: string;
    readonly code: string;
    readonly message: string;
    readonly delayMs: number;
  };
  /** A thread or child process for handlers; `host` is the thread's id in this process, or the process's id. */
  'host.started': { readonly lane: 'thread' | 'process'; readonly host: number };
  'host.ended': {
    readonly lane: 'thread' | 'process';
    readonly host: number;
    /** `killed`: to stop a job's code; `retired`: for its age, its memory or a failed import, or because it is not needed. */
    readonly why: 'crashed' | 'outOfMemory' | 'killed' | 'retired';
    readonly jobsRun: number;
    /** What happened, where it crashed. */
    readonly message: string | null;
  };
  /** The tuner decided on another number of slots for this process, and why. Shares are of what the process may use, 0 to 1. `from` is less than the last `to` where the ramp was ended early. */
  'tuner.adjusted': {
    readonly from: number;
    readonly to: number;
    /**
     * `cpuTested`: one slot more or fewer, to see whether the number is still right; `unusedUnderLoad`: slots nobody used
     * were closed, since the processor is busy with something else.
     */
    readonly reason:
      | 'cpuBelowTarget'
      | 'cpuOverTarget'
      | 'cpuSaturated'
      | 'cpuTested'
      | 'unusedUnderLoad'
      | 'memoryOverTarget';
    readonly cpu: number;
    readonly memory: number;
    readonly used: number;
    readonly targetCpu: number;
    readonly targetMemory: number;
  };
  /** The tuner's gauges, five times a second. `total` is decided, `open` already open. */
  'tuner.sampled': {
    readonly cpu: number;
    readonly memory: number;
    readonly used: number;
    readonly open: number;
    readonly total: number;
  };
  /** What the tuner reads from now on. `problem` says why it is not what it read before. */
  'tuner.sensorChosen': { readonly sensor: string; readonly problem: string | null };
  /** Leadership for maintenance was won or lost. */
  'leader.changed': { readonly workerId: string; readonly leading: boolean };
  'queue.paused': { readonly queue: string };
  'queue.resumed': { readonly queue: string };
  /** The queue's jobs in these states were deleted, all at once: they have no events of their own. */
  'queue.cleared': { readonly queue: string; readonly states: readonly JobState[]; readonly jobs: number };
  /** Events of other connections (`on` with `all: true`) that were not sent, since too much happened, or cannot be opened here. */
  'events.missed': { readonly count: number };
  /** A queue holds at least as many dead letters as the alert threshold. */
  'queue.deadLetters': { readonly queue: string; readonly failed: number; readonly threshold: number };
  'store.called': { readonly verb: string; readonly tookMs: number; readonly items: number };
  /** A service could not reach or use the store; it tries again after `retryMs`. */
  'store.failed': { readonly verb: string; readonly error: unknown; readonly retryMs: number | null };
  'store.pruned': { readonly jobs: number; readonly workers: number; readonly definitions?: number };
}

export type EventName = keyof Events;

export type EventListener<Name extends EventName> = (event: Events[Name]) => void;

export const EVENT_NAMES = [
  'job.enqueued',
  'job.started',
  'job.completed',
  'job.retried',
  'job.failed',
  'job.cancelled',
  'job.snoozed',
  'job.released',
  'job.lost',
  'job.logged',
  'job.progressed',
  'job.slow',
  'job.abandoned',
  'job.expired',
  'worker.started',
  'worker.stopping',
  'worker.stopped',
  'worker.claimed',
  'worker.settled',
  'task.strategyChosen',
  'task.blocked',
  'task.unknown',
  'payload.unopened',
  'host.started',
  'host.ended',
  'tuner.adjusted',
  'tuner.sampled',
  'tuner.sensorChosen',
  'leader.changed',
  'run.started',
  'run.moved',
  'step.moved',
  'schedule.ticked',
  'schedule.skipped',
  'plan.stuck',
  'queue.paused',
  'queue.resumed',
  'queue.cleared',
  'queue.deadLetters',
  'events.missed',
  'store.called',
  'store.failed',
  'store.pruned',
] as const satisfies readonly EventName[];

interface Line {
  readonly channel: ReturnType<typeof channel>;
  listeners: ((event: never) => void)[];
  /** Told what nobody else hears. */
  fallback: ((event: never) => void) | null;
}

/** Publishes the catalogue's events. One per `Longshore`. */
export class EventBus {
  readonly #lines: Readonly<Record<EventName, Line>>;

  constructor() {
    const lines = EVENT_NAMES.map((name) => [
      name,
      { channel: channel(`longshore:${name}`), listeners: [], fallback: null },
    ]);
    this.#lines = Object.fromEntries(lines) as Record<EventName, Line>;
  }

  /** Whether anybody listens: ask before building an event on a hot path. */
  wants(name: EventName): boolean {
    const line = this.#lines[name];
    return line.listeners.length > 0 || line.channel.hasSubscribers || line.fallback !== null;
  }

  /** A listener that throws is reported as an uncaught exception of its own, and never disturbs a job. */
  emit<Name extends EventName>(name: Name, event: Events[Name]): void {
    const { channel, listeners, fallback } = this.#lines[name];
    if (channel.hasSubscribers) channel.publish(event);
    else if (listeners.length === 0) fallback?.(event as never);
    for (const listener of listeners) {
      try {
        // Whatever a listener enqueues is not the doing of the handler that happened to lead here.
        outsideOfJobs(listener as EventListener<Name>, event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Calls `listener`, which may not throw, for every event of that name that nobody else hears. */
  ifUnheard<Name extends EventName>(name: Name, listener: EventListener<Name>): void {
    this.#lines[name].fallback = listener;
  }

  /** Adds a listener; the returned function removes it. Throws OPTION_INVALID. */
  on<Name extends EventName>(name: Name, listener: EventListener<Name>): () => void {
    if (!(EVENT_NAMES as readonly unknown[]).includes(name)) throw noEvent(name);
    if (typeof listener !== 'function')
      throw optionInvalid(`the listener of ${name}`, listener, 'a function (event)');
    const line = this.#lines[name];
    // A wrapper, so that a listener added twice is two listeners.
    const added = (event: never): void => listener(event);
    line.listeners = [...line.listeners, added];
    return () => {
      line.listeners = line.listeners.filter((other) => other !== added);
    };
  }
}

function noEvent(name: unknown): Error {
  if (typeof name === 'string') return unknownName('There is no event', name, EVENT_NAMES);
  return optionInvalid('the name of the event', name, `one of ${EVENT_NAMES.join(', ')}`);
}
