import type { Clock } from '../core/clock.ts';
import { decodePayload, type PayloadCodec } from '../core/payload.ts';
import { logText } from '../execution/log-text.ts';
import type { Lease } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { facts } from '../worker/facts.ts';
import type { NoteTaker } from '../worker/note-taker.ts';
import type { Work } from './work.ts';

interface WorkNotesOptions {
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly events: EventBus;
  /** Undefined: it has ended. */
  readonly workOf: (lease: Lease) => Work | undefined;
}

/** Progress and log lines of handlers, on their way to the engine. The same is refused as on a store. */
export class WorkNotes implements NoteTaker {
  readonly #options: WorkNotesOptions;
  /** What each attempt told last, as JSON. */
  readonly #told = new WeakMap<Lease, string | null>();

  constructor(options: WorkNotesOptions) {
    this.#options = options;
  }

  /** Throws PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE into the handler. */
  progress(lease: Lease, value: unknown): void {
    const { codec, events, workOf } = this.#options;
    this.#told.set(lease, codec.text(value, `the progress of task '${lease.task}'`));
    if (events.wants('job.progressed')) events.emit('job.progressed', { ...facts(lease), progress: value });
    workOf(lease)?.onProgress?.(value);
  }

  async lastProgress(lease: Lease): Promise<unknown> {
    const told = this.#told.get(lease);
    if (told !== undefined) return decodePayload(told, `the progress of ${lease.id}`);
    return this.#options.workOf(lease)?.lastProgress;
  }

  /** Throws OPTION_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE into the handler. */
  log(lease: Lease, message: string, data: unknown): void {
    const { codec, clock, events, workOf } = this.#options;
    const text = logText(message);
    codec.text(data, `the log data of task '${lease.task}'`);
    if (events.wants('job.logged')) events.emit('job.logged', { ...facts(lease), message: text, data });
    workOf(lease)?.onLog?.({ at: clock.now(), message: text, data });
  }
}
