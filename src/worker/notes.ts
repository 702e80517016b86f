import { BATCH_CHARS_MAX, charsOfLine, charsOfNote, cut, sumOf } from '../core/batch.ts';
import type { CancelTimer, Clock } from '../core/clock.ts';
import { LongshoreError, mayBlameAnItem } from '../core/errors.ts';
import type { LogLine } from '../core/job.ts';
import { correlationIdIn } from '../core/meta.ts';
import type { PayloadCodec } from '../core/payload.ts';
import { RAN } from '../core/ran.ts';
import { logText } from '../execution/log-text.ts';
import type { Lease, Note, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { facts } from './facts.ts';
import type { NoteTaker } from './note-taker.ts';

/** Progress and log lines of running jobs, written in batches: at an interval, and before their job is settled. */

interface Pending {
  readonly id: string;
  readonly token: string;
  progress?: string | null;
  logs: LogLine[];
}

const INTERVAL_MS = 200;
/** A job that logs in a loop may not fill the memory: past this many unwritten lines, or BATCH_CHARS_MAX, they are written at once. */
const LINES_MAX = 1_000;

export class Notes implements NoteTaker {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #events: EventBus;
  readonly #codec: PayloadCodec;
  #pending = new Map<string, Pending>();
  readonly #held = new Set<string>();
  #lines = 0;
  /** Of the lines. */
  #chars = 0;
  /** Resolves when everything that is under way is in the store, or was given up. */
  #written: Promise<void> = Promise.resolve();
  #cancelTimer: CancelTimer | null = null;

  constructor(options: { store: Store; clock: Clock; events: EventBus; codec: PayloadCodec }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#events = options.events;
    this.#codec = options.codec;
  }

  /** Throws PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE into the handler. */
  progress(lease: Lease, value: unknown): void {
    const place = { role: 'progress', id: lease.id } as const;
    this.#of(lease).progress = this.#codec.encode(value, place, `the progress of task '${lease.task}'`);
    if (this.#events.wants('job.progressed'))
      this.#events.emit('job.progressed', { ...facts(lease), progress: value });
  }

  /** What was told last, by whichever attempt. */
  async lastProgress(lease: Lease): Promise<unknown> {
    await this.flush();
    const [job] = await this.#store.get([lease.id]);
    const place = { role: 'progress', id: lease.id } as const;
    return this.#codec.decode(job?.progress ?? null, place, `the progress of job ${lease.id}`);
  }

  /** Writes down where and how long an attempt ran, for jobs with a correlation id: `longshore.trace` tells it. */
  ran(lease: Lease, worker: string, runMs: number): void {
    if (correlationIdIn(lease.meta) === undefined) return;
    const now = this.#clock.now();
    const data = {
      worker,
      startedAt: Math.round((now - runMs) * 10) / 10,
      runMs: Math.round(runMs * 10) / 10,
    };
    const encoded = this.#codec.seal(JSON.stringify(data), { role: 'log', id: lease.id });
    this.#add(lease, { at: now, attempt: lease.attempt, message: RAN, data: encoded });
  }

  /** Throws OPTION_INVALID, PAYLOAD_NOT_JSON, PAYLOAD_TOO_LARGE into the handler. */
  log(lease: Lease, message: string, data: unknown): void {
    const text = logText(message);
    const place = { role: 'log', id: lease.id } as const;
    const encoded = this.#codec.encode(data, place, `the log data of task '${lease.task}'`);
    const line: LogLine = { at: this.#clock.now(), attempt: lease.attempt, message: text, data: encoded };
    if (this.#events.wants('job.logged'))
      this.#events.emit('job.logged', { ...facts(lease), message: text, data });
    this.#add(lease, line);
  }

  #add(lease: Lease, line: LogLine): void {
    this.#of(lease).logs.push(line);
    this.#lines += 1;
    this.#chars += charsOfLine(line);
    if (this.#isFull) void this.flush();
  }

  get #isFull(): boolean {
    return this.#lines >= LINES_MAX || this.#chars >= BATCH_CHARS_MAX;
  }

  /** Whether there is something to write before the job of `lease` may be settled. */
  has(lease: Lease): boolean {
    return this.#pending.size > 0 && this.#pending.has(lease.token);
  }

  /**
   * Keeps a job's notes here while its handler has a transaction open, into which they go: written beside it they would wait
   * for it on SQLite, and on PostgreSQL end it in the stricter isolations. The returned function ends that.
   */
  hold({ token }: Lease): () => void {
    this.#held.add(token);
    return () => {
      this.#held.delete(token);
      if (this.#pending.has(token))
        this.#cancelTimer ??= this.#clock.after(INTERVAL_MS, () => void this.flush());
    };
  }

  /** Those of a job that are to be written elsewhere. */
  take({ token }: Lease): Note | undefined {
    const pending = this.#pending.get(token);
    this.#pending.delete(token);
    return pending;
  }

  /** What was taken and not written after all. */
  restore(note: Note): void {
    this.#putBack([{ ...note, logs: [...(note.logs ?? [])] }]);
  }

  /** Writes all notes; resolves when those before are written, too. Called in the same turn as, and before, the settle of their jobs: the store keeps call order. */
  flush(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#pending.size > 0) {
      const held = [...this.#pending].filter(([token]) => this.#held.has(token));
      for (const [token] of held) this.#pending.delete(token);
      const batches = cut([...this.#pending.values()], charsOfNote);
      this.#pending = new Map(held);
      this.#lines = 0;
      this.#chars = 0;
      const writes = batches.map((batch) => this.#write(batch));
      // A value of its own: that of Promise.all would hold on to those of all batches before.
      this.#written = Promise.all([this.#written, ...writes]).then(() => undefined);
    }
    return this.#written;
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    try {
      await this.#store.annotate(batch);
    } catch (error) {
      const blames = mayBlameAnItem(error instanceof LongshoreError ? error.code : 'STORE_FAILED');
      const isolates = blames && batch.length > 1;
      // Notes are told, not promised: a store that is away costs lines, never jobs.
      const retries = !blames && error instanceof LongshoreError && error.retryable;
      const retryMs = isolates ? 0 : retries ? INTERVAL_MS : null;
      this.#events.emit('store.failed', { verb: 'annotate', error, retryMs });
      if (isolates) await Promise.all(batch.map((note) => this.#write([note])));
      else if (retries) this.#putBack(batch);
    }
  }

  #of(lease: Lease): Pending {
    this.#cancelTimer ??= this.#clock.after(INTERVAL_MS, () => void this.flush());
    let pending = this.#pending.get(lease.token);
    if (pending === undefined) {
      pending = { id: lease.id, token: lease.token, logs: [] };
      this.#pending.set(lease.token, pending);
    }
    return pending;
  }

  #putBack(batch: readonly Pending[]): void {
    if (this.#isFull) return;
    for (const old of batch) {
      const newer = this.#pending.get(old.token);
      this.#pending.set(old.token, { ...old, ...newer, logs: [...old.logs, ...(newer?.logs ?? [])] });
      this.#lines += old.logs.length;
      this.#chars += sumOf(old.logs, charsOfLine);
    }
    this.#cancelTimer ??= this.#clock.after(INTERVAL_MS, () => void this.flush());
  }
}
