import { cut } from '../core/batch.ts';
import type { Clock } from '../core/clock.ts';
import { LongshoreError, mayPass } from '../core/errors.ts';
import {
  entryText,
  JOB_STEPS_CHECK_MS,
  type JobSteps,
  type JobWait,
  jobStepsChange,
  jobStepsKey,
  parseEntry,
  parseUntil,
  STEP_KEPT,
  stepPlace,
  untilText,
  waitMs,
} from '../core/job-steps.ts';
import type { Outcome } from '../core/outcome.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { DurablePort, StepBegun, WaitAnswer } from '../execution/durable-calls.ts';
import type { KeptText, PlanChange } from '../store/plans.ts';
import type { Lease, Store } from '../store/store.ts';
import { BackoffTimer } from './backoff-timer.ts';
import { isBarrier } from './barrier.ts';
import type { Beside } from './beside.ts';
import { swallowed } from './suspension.ts';

/**
 * The worker's side of an attempt's durable steps: what the handler keeps goes into the job's plan (core/job-steps.ts). It is
 * read at the first call, so jobs without steps pay nothing. Each write is on condition of the plan's version. An attempt
 * that finds what another one kept takes the plan over, so what a stale attempt writes conflicts; it looks whether it still
 * holds its lease then, and ends as lost if not.
 */
export interface DurableMeans {
  readonly store: Pick<Store, 'plan' | 'commit' | 'annotate'>;
  readonly codec: PayloadCodec;
  readonly clock: Clock;
  readonly random: () => number;
}

/** As much of an attempt as its steps need. */
export interface DurableAttempt {
  readonly lease: Lease;
  readonly finished: boolean;
  readonly abortReason: LongshoreError | null;
  barrier: LongshoreError | null;
  /** Its lease is somebody else's. */
  lose(): void;
}

interface StepText extends KeptText {
  /** Not where a text of this name is kept. */
  readonly unless?: string;
}

export class Durable implements DurablePort {
  /** The handler was told that its attempt ends for a sleep or a wait. */
  suspended = false;
  readonly #attempt: DurableAttempt;
  readonly #means: DurableMeans;
  #opening: Promise<void> | null = null;
  /** Of the plan; 0: there is none. */
  #version = 0;
  #kept = new Map<string, string>();
  #waits: JobWait[] = [];
  /** To be written, together. */
  #unwritten: StepText[] = [];
  #nextWrite: Promise<void> | null = null;
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(attempt: DurableAttempt, means: DurableMeans) {
    this.#attempt = attempt;
    this.#means = means;
  }

  async begin(name: string): Promise<StepBegun> {
    await this.#open();
    const kept = STEP_KEPT.result(name);
    return this.#kept.has(kept) ? { done: true, text: this.#opened(kept) } : { done: false, text: null };
  }

  async keep(name: string, text: string | null): Promise<string | null> {
    const kept = STEP_KEPT.result(name);
    const sealed = this.#means.codec.seal(text, stepPlace(this.#attempt.lease.id, kept));
    await this.#write([{ name: kept, text: entryText({ at: this.#now, text: sealed }) }]);
    return this.#opened(kept);
  }

  async sleep(name: string, ms: number): Promise<boolean> {
    await this.#open();
    const until = this.#until(STEP_KEPT.sleep(name), ms) as number;
    if (until <= this.#now) return true;
    this.#waits.push({ kind: 'sleep', name, until });
    return false;
  }

  async wait(name: string, timeoutMs: number | null): Promise<WaitAnswer> {
    await this.#open();
    const until = this.#until(STEP_KEPT.timeout(name), timeoutMs);
    const [signal, timedOut] = [STEP_KEPT.signal(name), STEP_KEPT.timedOut(name)];
    const isOver = until !== null && until <= this.#now;
    // A signal that comes in this instant makes it conflict, and counts.
    if (isOver)
      await this.#write([{ name: timedOut, text: entryText({ at: this.#now, text: null }), unless: signal }]);
    if (this.#kept.has(timedOut)) return { is: 'timedOut' };
    if (this.#kept.has(signal)) return { is: 'here', text: this.#opened(signal) };
    this.#waits.push({ kind: 'signal', name, until });
    return { is: 'pending' };
  }

  async refuse(name: string): Promise<void> {
    await this.#write([{ name: STEP_KEPT.signal(name), text: null }]);
  }

  async suspend(): Promise<void> {
    this.#requireLive();
    this.suspended = true;
  }

  suspension(): Outcome {
    return { type: 'snoozed', delayMs: this.#delayMs() };
  }

  /** The handler went on after it was told that its attempt ends. `cause`: what it threw then; null for nothing. */
  swallowed(cause: unknown): LongshoreError {
    return swallowed(this.#attempt.lease, this.#waits, cause);
  }

  /** What is to be written together with the outcome; null for nothing. */
  beside({ type }: Outcome): Beside | null {
    const suspends = this.suspended && type === 'snoozed';
    if (!suspends && (type !== 'completed' || this.#version === 0)) return null;
    return {
      receipt: null,
      changes: () => (suspends ? [this.#suspensionChange()] : this.#version === 0 ? [] : [this.#deletion()]),
      outcome: (outcome) => (suspends ? { type: 'snoozed', delayMs: this.#delayMs() } : outcome),
      refresh: () => this.#read(),
    };
  }

  /** The job has completed without them. What this does not delete, the planner does in time. */
  forget(): void {
    if (this.#version > 0) this.#means.store.commit([{ plans: [this.#deletion()] }]).catch(() => undefined);
  }

  #suspensionChange(): PlanChange {
    const keep = this.#waits.map(({ kind, name, until }) => ({
      name: kind === 'sleep' ? STEP_KEPT.sleep(name) : STEP_KEPT.timeout(name),
      text: untilText(until),
    }));
    return { ...this.#change({ owner: this.#attempt.lease.token, waits: this.#waits }), keep };
  }

  #deletion(): PlanChange {
    return { ...this.#change({ owner: null, waits: [] }), value: null, wakeAt: null };
  }

  #change(steps: JobSteps): PlanChange {
    const { id, task } = this.#attempt.lease;
    const of = { job: id, task, version: this.#version };
    return jobStepsChange(of, steps, this.#now + JOB_STEPS_CHECK_MS);
  }

  /** Nothing, where a signal came meanwhile. */
  #delayMs(): number {
    const came = this.#waits.some(
      ({ kind, name }) => kind === 'signal' && this.#kept.has(STEP_KEPT.signal(name)),
    );
    return came ? 0 : waitMs(this.#waits, this.#now);
  }

  get #now(): number {
    return this.#means.clock.now();
  }

  /** As it was kept by an earlier attempt. */
  #until(kept: string, ms: number | null): number | null {
    const text = this.#kept.get(kept);
    if (text !== undefined) return parseUntil(text);
    return ms === null ? null : Math.ceil(this.#now + ms);
  }

  #opened(kept: string): string | null {
    const { id } = this.#attempt.lease;
    const { text } = parseEntry(this.#kept.get(kept) ?? '');
    try {
      return this.#means.codec.open(text, stepPlace(id, kept), `'${kept}' of the steps of job ${id}`);
    } catch (error) {
      if (isBarrier(error)) this.#attempt.barrier = error;
      throw error;
    }
  }

  #open(): Promise<void> {
    this.#opening ??= this.#takeOver().catch((error) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #takeOver(): Promise<void> {
    await this.#persist(() => this.#read());
    if (this.#version > 0) await this.#commit([], true);
  }

  async #read(): Promise<void> {
    const plan = await this.#means.store.plan(jobStepsKey(this.#attempt.lease.id), 'all');
    this.#version = plan?.version ?? 0;
    this.#kept = new Map(Object.entries(plan?.kept ?? {}));
  }

  /** Whatever is to be kept while a write is under way goes with the next one. */
  #write(texts: readonly StepText[]): Promise<void> {
    this.#unwritten.push(...texts);
    this.#nextWrite ??= this.#lastWrite.then(async () => {
      this.#nextWrite = null;
      for (const batch of cut(this.#unwritten.splice(0), charsOfText)) await this.#commit(batch);
    });
    this.#lastWrite = this.#nextWrite.catch(() => undefined);
    return this.#nextWrite;
  }

  /** What is kept is never replaced: whoever was first counts. */
  async #commit(texts: readonly StepText[], always = false): Promise<void> {
    for (;;) {
      const keep = texts
        .filter(({ name, text }) => this.#kept.has(name) === (text === null))
        .filter(({ unless }) => unless === undefined || !this.#kept.has(unless))
        .map(({ name, text }) => ({ name, text }));
      if (keep.length === 0 && !always) return;
      const change = { ...this.#change({ owner: this.#attempt.lease.token, waits: [] }), keep };
      const [receipt] = await this.#persist(() => this.#means.store.commit([{ plans: [change] }]));
      if (receipt?.status === 'committed') {
        this.#version += 1;
        for (const { name, text } of keep)
          text === null ? this.#kept.delete(name) : this.#kept.set(name, text);
        return;
      }
      await this.#requireLease();
      await this.#persist(() => this.#read());
    }
  }

  /** Somebody else wrote: a signal came, or another attempt is under way. */
  async #requireLease(): Promise<void> {
    const { id, token } = this.#attempt.lease;
    const [receipt] = await this.#persist(() => this.#means.store.annotate([{ id, token }]));
    if (receipt !== 'lost') return;
    this.#attempt.lose();
    this.#requireLive();
  }

  /** As long as the store is away, and the attempt goes on. */
  async #persist<T>(call: () => Promise<T>): Promise<T> {
    const backoff = new BackoffTimer(this.#means.clock, this.#means.random);
    for (;;) {
      this.#requireLive();
      try {
        return await call();
      } catch (error) {
        if (!mayPass(error)) throw error;
        await new Promise<void>((resolve) => backoff.retry(resolve));
      }
    }
  }

  #requireLive(): void {
    const { abortReason, finished, lease } = this.#attempt;
    if (abortReason !== null) throw abortReason;
    if (!finished) return;
    throw new LongshoreError(
      'JOB_STATE_REFUSED',
      `A durable step was under way when the handler of job ${lease.id} had ended. Await every step within the handler.`,
      { details: { id: lease.id } },
    );
  }
}

function charsOfText({ name, text }: StepText): number {
  return name.length + (text?.length ?? 0);
}
