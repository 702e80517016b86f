import { type Ageing, requireAgeing } from '../core/ageing.ts';
import { LongshoreError, optionInvalid, requireName } from '../core/errors.ts';
import { ALL_QUEUES } from '../core/job.ts';
import { JOB_STATES, type JobState, WAITING_STATES } from '../core/job-state.ts';
import { changeLimits, LIMITS_NONE, type LimitsChange } from '../core/limits.ts';
import { knownNames, requireKnown, requireOptions } from '../core/options.ts';
import { requireQueue } from '../core/task.ts';
import type { Keep, QueueRecord, QueueSettings, Retention, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';

export { ALL_QUEUES };

interface ObliterateOptions {
  readonly force?: boolean;
}

const OBLITERATE_OPTIONS = knownNames<ObliterateOptions>({ force: true });
const RETENTION = knownNames<Retention>({ completed: true, failed: true, cancelled: true });
const KEEP = knownNames<Keep>({ ageMs: true, count: true, bytes: true });

/** Looks at queues, and acts on them. `longshore.queues`. */
export class Queues {
  readonly #store: Store;
  readonly #events: EventBus;

  constructor(store: Store, events: EventBus) {
    this.#store = store;
    this.#events = events;
  }

  /** Every queue that has settings or jobs, with counts by state. */
  list(): Promise<QueueRecord[]> {
    return this.#store.queues();
  }

  /** Stops claiming from the queue, on every machine; running jobs go on. `*` pauses the fleet. */
  async pause(queue: string): Promise<QueueSettings> {
    const settings = await this.#store.configureQueue(requireName('queue', queue), { paused: true });
    this.#events.emit('queue.paused', { queue });
    return settings;
  }

  async resume(queue: string): Promise<QueueSettings> {
    const settings = await this.#store.configureQueue(requireName('queue', queue), { paused: false });
    this.#events.emit('queue.resumed', { queue });
    return settings;
  }

  /**
   * How long, and how many, finished jobs of the queue are kept; where the store can, also how many bytes. 0 keeps
   * nothing, null sets no bound. Throws OPTION_INVALID.
   */
  async setRetention(queue: string, retention: Partial<Retention>): Promise<QueueSettings> {
    requireQueue('queue', queue);
    requireOptions('retention', retention, RETENTION);
    const given = Object.entries(retention).filter(([, keep]) => keep !== undefined);
    for (const [state, keep] of given) {
      requireKeep(`retention.${state}`, keep);
      this.#requireBytesKnown(`retention.${state}.bytes`, keep);
    }
    return this.#store.configureQueue(queue, { retention: Object.fromEntries(given) });
  }

  /**
   * How many jobs of the queue run at a time and start in a span of time, in all and for each key, and whether keys are
   * in strict order. Holds over all workers of all machines, from the next claim on; running jobs finish. What is not
   * named stays, null lifts a limit. Throws OPTION_INVALID.
   */
  async setLimits(queue: string, change: LimitsChange): Promise<QueueSettings> {
    requireQueue('queue', queue);
    // Whether the whole fits what holds already is the store's to say.
    changeLimits(LIMITS_NONE, change);
    return this.#store.configureQueue(queue, { limits: change });
  }

  /**
   * Once every `everyMs` (1 s or more), each ready job of the queue that has waited so long gets a priority lower by one,
   * down to `floor`: no job waits for ever behind newer ones. null ends it; priorities stay. Done by workers with the
   * `scheduling` role. Throws OPTION_INVALID.
   */
  async setAgeing(queue: string, ageing: Ageing | null): Promise<QueueSettings> {
    if (ageing !== null) requireAgeing('ageing', ageing);
    return this.#store.configureQueue(requireQueue('queue', queue), { ageing });
  }

  /** Deletes every waiting job of the queue; running and finished ones stay. Resolves to how many. */
  async drain(queue: string): Promise<number> {
    return this.#clear(requireQueue('queue', queue), WAITING_STATES);
  }

  /** Deletes every job of the queue, finished ones too. With running jobs it throws QUEUE_BUSY unless `force`. Resolves to how many. */
  async obliterate(queue: string, options: ObliterateOptions = {}): Promise<number> {
    requireQueue('queue', queue);
    requireKnown('obliterate', options, OBLITERATE_OPTIONS);
    if (options.force !== undefined && typeof options.force !== 'boolean')
      throw optionInvalid('force', options.force, 'true or false');
    const record = (await this.#store.queues()).find(({ name }) => name === queue);
    const running = record?.counts.running ?? 0;
    if (running > 0 && options.force !== true) {
      const message = `Queue '${queue}' has ${running} running jobs. Pause it and wait for them, or pass force: true to drop their outcomes.`;
      throw new LongshoreError('QUEUE_BUSY', message, { details: { queue, running } });
    }
    return this.#clear(queue, JOB_STATES);
  }

  async #clear(queue: string, states: readonly JobState[]): Promise<number> {
    const jobs = await this.#store.clear(queue, states);
    this.#events.emit('queue.cleared', { queue, states, jobs });
    return jobs;
  }

  /** A bound that the store cannot watch must not be taken for one that holds. */
  #requireBytesKnown(field: string, { bytes = null }: Keep): void {
    if (bytes === null || this.#store.capabilities.retentionBytes) return;
    throw optionInvalid(
      field,
      bytes,
      'nothing, since this store bounds by age and count alone; redis: and memory: can',
    );
  }
}

function requireKeep(field: string, keep: Keep): void {
  requireOptions(field, keep, KEEP);
  for (const bound of ['ageMs', 'count', 'bytes'] as const) {
    const value = bound === 'bytes' ? (keep.bytes ?? null) : keep[bound];
    if (value === null || (typeof value === 'number' && Number.isFinite(value) && value >= 0)) continue;
    throw optionInvalid(`${field}.${bound}`, value, 'a number of 0 or more, or null for no bound');
  }
}
