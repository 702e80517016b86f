import { stdSerializers } from 'pino';
import { counted } from '../core/counted.ts';
import { formatDuration } from '../core/duration.ts';
import { isError, namedReasonOf } from '../core/legible.ts';
import type { EndByHandFacts, EndFacts, EventName, Events, JobFacts } from './events.ts';

/**
 * The exporter from events to a structured log (pino: the fastest well-kept logger, and no thread unless asked).
 * A record has the event's name as `event`, its facts as they stand in the catalogue, and a sentence as `msg`.
 * Events below the logger's level are not even subscribed to, so that the hot path does not build them.
 */

/** What `Longshore` and `EventBus` both are. */
export interface EventSource {
  on<Name extends EventName>(name: Name, listener: (event: Events[Name]) => void): () => void;
}

type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** What takes records: pino, its look-alikes, and anything else with these methods. */
export interface Logger {
  error(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  info(facts: object, text: string): void;
  debug(facts: object, text: string): void;
  trace?(facts: object, text: string): void;
  /** Without it, all levels but trace are wanted. */
  isLevelEnabled?(level: string): boolean;
}

export interface LogOptions {
  /** Tells milliseconds. */
  readonly now?: () => number;
  /** Jobs that ended well are told at level debug: for programs that have more to say than their jobs. */
  readonly quiet?: boolean;
}

/** Writes `source`'s events to `logger`, which says what levels it wants. The returned function ends it. */
export function logEvents(source: EventSource, logger: Logger, options: LogOptions = {}): () => void {
  const ends = (Object.keys(RECORDS) as EventName[]).map((name) => subscribe(source, logger, name, options));
  return () => {
    for (const end of ends) end();
  };
}

function subscribe<Name extends EventName>(
  source: EventSource,
  logger: Logger,
  name: Name,
  { now = () => performance.now(), quiet = false }: LogOptions,
): () => void {
  const [usual, text] = RECORDS[name];
  const level = quiet && name === 'job.completed' ? 'debug' : usual;
  if (!(logger.isLevelEnabled?.(level) ?? level !== 'trace')) return () => undefined;
  const write = (event: Events[Name]): void =>
    logger[level]?.({ event: name, ...readable(event) }, text(event));
  return source.on(name, SPARING.has(name) ? sparingly(write, now) : write);
}

/** Jobs that are put off come back for days: of each task and queue one is told in a minute. */
function sparingly<Event extends object>(
  write: (event: Event) => void,
  now: () => number,
): (event: Event) => void {
  const toldAt = new Map<string, number>();
  return (event) => {
    const { queue, task } = event as Partial<JobFacts>;
    const what = JSON.stringify([queue, task]);
    if (now() - (toldAt.get(what) ?? Number.NEGATIVE_INFINITY) < SPARING_MS) return;
    if (toldAt.size >= SPARING_TASKS) toldAt.clear();
    toldAt.set(what, now());
    write(event);
  };
}

const SPARING: ReadonlySet<EventName> = new Set(['task.unknown', 'payload.unopened']);
const SPARING_MS = 60_000;
const SPARING_TASKS = 1_000;

/** Errors have no enumerable facts; kept errors of attempts have. */
function readable<Event extends object>(event: Event): object {
  const { error, id, correlationId, ...facts } = event as { error?: unknown } & Partial<JobFacts>;
  // Most jobs have none but their id.
  const shown =
    correlationId === id
      ? { ...(id === undefined ? {} : { id }), ...facts }
      : { id, correlationId, ...facts };
  if (!('error' in event)) return shown;
  return { ...shown, error: isError(error) ? stdSerializers.err(error) : error };
}

const RECORDS: { readonly [Name in EventName]: readonly [Level, (event: Events[Name]) => string] } = {
  'job.enqueued': ['debug', (event) => `${job(event)} enqueued (${event.status}, ${event.state})`],
  'job.started': [
    'debug',
    (event) => `${job(event)} started, attempt ${event.attempt}, waited ${formatDuration(event.waitMs)}`,
  ],
  'job.completed': ['info', (event) => `${job(event)} completed ${howEnded(event)}`],
  'job.retried': [
    'warn',
    (event) =>
      `${job(event)} attempt ${event.attempt} failed ${times(event)}; next in ${formatDuration(event.delayMs)}: ${namedReasonOf(event.error)}`,
  ],
  'job.failed': [
    'error',
    (event) =>
      `${job(event)} failed at attempt ${event.attempt} ${times(event)}: ${namedReasonOf(event.error)}`,
  ],
  'job.cancelled': ['info', (event) => `${job(event)} cancelled ${howEnded(event)}`],
  'job.snoozed': ['info', (event) => `${job(event)} snoozed for ${formatDuration(event.delayMs)}`],
  'job.released': ['debug', (event) => `${job(event)} given back unstarted`],
  'job.lost': ['warn', (event) => `${job(event)} lost its lease; the outcome '${event.outcome}' was refused`],
  'job.logged': ['info', (event) => `${job(event)} attempt ${event.attempt}: ${event.message}`],
  'job.progressed': ['trace', (event) => `${job(event)} attempt ${event.attempt} told its progress`],
  'job.slow': [
    'warn',
    (event) =>
      `${job(event)} has used ${formatDuration(event.runMs)} of its timeout of ${formatDuration(event.timeoutMs)}`,
  ],
  'job.abandoned': [
    'warn',
    (event) =>
      `${job(event)} ignored its abort signal (${event.reason}) and was ${event.stopped ? 'stopped' : 'given up'} after ${formatDuration(event.runMs)}`,
  ],
  'job.expired': [
    'warn',
    (event) =>
      `${job(event)} was taken back from a silent worker, now ${event.state}, lease ${event.crashes} lost`,
  ],
  'run.started': ['debug', ({ run, flow }) => `run ${run} of flow ${flow} started`],
  'run.moved': [
    'info',
    ({ run, flow, from, to, reason }) =>
      `run ${run} of flow ${flow} went from ${from} to ${to}${reason === null ? '' : `: ${reason}`}`,
  ],
  'step.moved': [
    'debug',
    ({ run, step, to, error }) =>
      `run ${run}: step ${step} ${to}${error === null ? '' : `: ${error.message}`}`,
  ],
  'schedule.ticked': [
    'debug',
    ({ schedule, target, id, cause }) => `schedule ${schedule} started ${target} (${id}): ${cause}`,
  ],
  'schedule.skipped': [
    'info',
    ({ schedule, reason, from, to }) =>
      from === to
        ? `schedule ${schedule} skipped ${time(from)}: ${reason}`
        : `schedule ${schedule} skipped ${time(from)} to ${time(to)}: ${reason}`,
  ],
  'plan.stuck': ['error', ({ key, error }) => `plan ${key} cannot go on: ${namedReasonOf(error)}`],
  'worker.started': [
    'info',
    (event) =>
      `worker ${event.workerId} started: ${counted(event.slots, 'slot')}, queues ${event.queues.join(', ')}, tasks ${event.tasks.join(', ')}`,
  ],
  'worker.stopping': [
    'info',
    (event) =>
      `worker stopping: waits up to ${formatDuration(event.graceMs)} for ${event.running} running jobs`,
  ],
  'worker.stopped': [
    'info',
    (event) =>
      `worker stopped: ${counted(event.aborted, 'job')} aborted, ${event.released} given back unstarted`,
  ],
  'worker.claimed': [
    'trace',
    (event) => `claimed ${event.jobs} of ${event.limit} in ${formatDuration(event.tookMs)}`,
  ],
  'worker.settled': ['trace', (event) => `settled ${event.jobs} in ${formatDuration(event.tookMs)}`],
  'task.strategyChosen': ['info', (event) => `${event.task} runs ${lane(event.lane)}: ${event.reason}`],
  'task.blocked': [
    'warn',
    (event) =>
      `${event.task} ${event.certain ? 'held' : 'may have held'} the event loop for ${formatDuration(event.blockedMs)} (limit ${formatDuration(event.limitMs)})`,
  ],
  'task.unknown': [
    'warn',
    (event) =>
      `no task ${event.task} here, for job ${event.id} of queue ${event.queue}: it waits, uncharged, for a worker that has it. Add the task to this worker, or give such jobs a queue that only workers with it listen to`,
  ],
  'payload.unopened': [
    'warn',
    (event) => `${job(event)} waits, uncharged, for a worker that can open its payload: ${event.message}`,
  ],
  'host.started': ['debug', (event) => `${event.lane} ${event.host} started`],
  'host.ended': [
    'debug',
    (event) =>
      `${event.lane} ${event.host} ended after ${counted(event.jobsRun, 'job')}: ${event.message ?? event.why}`,
  ],
  'tuner.adjusted': [
    'info',
    (event) =>
      `tuner adjusted slots from ${event.from} to ${event.to}: ${TUNER_REASONS[event.reason]} (processor ${perCent(event.cpu)}, target ${perCent(event.targetCpu)}; memory ${perCent(event.memory)}, target ${perCent(event.targetMemory)}; ${event.used} used)`,
  ],
  'tuner.sampled': [
    'trace',
    (event) =>
      `tuner: processor ${perCent(event.cpu)}, memory ${perCent(event.memory)}, ${event.used} of ${event.open} slots used`,
  ],
  'tuner.sensorChosen': [
    'info',
    (event) =>
      `tuner reads ${event.sensor}${event.problem === null ? '' : `, since what it read before failed: ${event.problem}`}`,
  ],
  'leader.changed': [
    'debug',
    (event) => (event.leading ? 'leads: looks after the store now' : 'leads no more'),
  ],
  'queue.paused': ['info', (event) => `queue ${event.queue} paused`],
  'queue.resumed': ['info', (event) => `queue ${event.queue} resumed`],
  'queue.cleared': [
    'warn',
    ({ queue, jobs, states }) => `${counted(jobs, 'job')} of queue ${queue} deleted (${states.join(', ')})`,
  ],
  'queue.deadLetters': [
    'warn',
    (event) => `queue ${event.queue} holds ${event.failed} failed jobs (alert at ${event.threshold})`,
  ],
  'events.missed': ['warn', ({ count }) => `${count} events of other connections were not sent`],
  'store.called': [
    'trace',
    (event) => `store ${event.verb}: ${counted(event.items, 'item')} in ${formatDuration(event.tookMs)}`,
  ],
  'store.failed': [
    'error',
    (event) => `store ${event.verb} failed${again(event.retryMs)}: ${namedReasonOf(event.error)}`,
  ],
  'store.pruned': [
    'debug',
    ({ jobs, workers, definitions = 0 }) =>
      `pruned ${counted(jobs, 'finished job')}, ${counted(workers, 'dead worker')} and ${counted(definitions, 'definition')} of flows`,
  ],
};

const TUNER_REASONS: Readonly<Record<Events['tuner.adjusted']['reason'], string>> = {
  cpuBelowTarget: 'there is processor time to spare',
  cpuOverTarget: 'the processor is over its target',
  cpuSaturated: 'the processor is saturated',
  cpuTested: 'tests whether the number is still right',
  unusedUnderLoad: 'the processor is over its target, and slots were unused',
  memoryOverTarget: 'memory is over its target',
};

function perCent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function lane(name: 'inline' | 'thread' | 'process'): string {
  return name === 'inline' ? 'inline' : `in a ${name}`;
}

function job(event: JobFacts): string {
  return `${event.task} ${event.id}`;
}

function howEnded(event: EndByHandFacts): string {
  return event.by === undefined ? times(event) : `by ${event.by}`;
}

function times(event: EndFacts): string {
  return `in ${formatDuration(event.runMs)} (waited ${formatDuration(event.waitMs)})`;
}

function again(retryMs: number | null): string {
  return retryMs === null ? '' : `, again in ${formatDuration(retryMs)}`;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
