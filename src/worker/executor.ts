import type { LongshoreError } from '../core/errors.ts';
import type { Outcome } from '../core/outcome.ts';
import type { AnyTask } from '../core/task.ts';
import { isThenable } from '../execution/steps.ts';
import type { Lease } from '../store/store.ts';
import { Attempt, type AttemptMeans } from './attempt.ts';
import { isBarrier } from './barrier.ts';
import type { ExecutorOptions } from './executor-options.ts';
import { facts } from './facts.ts';
import { LeaseBuffer } from './lease-buffer.ts';
import { Places } from './places.ts';
import { RunningAttempts } from './running.ts';
import { completed, openJob, outcomeOf, trace } from './steps.ts';
import { cancelled, leaseLost, stopping } from './stop-reasons.ts';
import { isSuspect } from './suspect.ts';
import { watchTime } from './watch-time.ts';

/** In one turn of the event loop jobs are started for so long (one at least), then timers and I/O of the process get their turn. */
const TURN_MS = 1;

/**
 * Runs leased jobs: fetcher -> executor -> settler. Holds the leases that wait for a slot and the attempts that run.
 * It never talks to the store itself; whoever assembles it says what happens to an outcome (`onOutcome`).
 */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #means: AttemptMeans;
  /** Leases that wait to be started. */
  readonly buffer: LeaseBuffer;
  readonly #running = new RunningAttempts();
  readonly #places: Places;
  /** Leases that were put back: their start was told. */
  readonly #toldOf = new WeakSet<Lease>();
  #turnEndsAt = 0;
  #turnPending = false;
  #pumping = false;
  #suspect: Attempt | null = null;
  /** False: no suspect is in the buffer. */
  #suspectHeld = false;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.buffer = new LeaseBuffer(options.lane.admission);
    this.#places = new Places(options.slots, options.lane.admission);
    this.#means = {
      notes: options.notes,
      payloadBytesMax: options.codec.bytesMax,
      completions: options.completions,
      onCommitted: options.onCommitted,
      onBegin: (attempt) => watchTime(attempt, options, (reason) => this.#abort(attempt, reason)),
      onPutBack: (attempt) => this.#putBack(attempt),
      onLost: (attempt) => this.#lose(attempt),
      durable: options,
    };
  }

  /** Attempts that were started. */
  get running(): number {
    return this.#running.size;
  }

  /** Of these, jobs that wait in a host behind others. */
  get early(): number {
    return this.#places.early;
  }

  /**
   * True while a suspect runs alone or waits for it, wherever in the line: nothing more may be fetched, or a claim
   * that is under way when the suspect starts would bring jobs that its death is charged to.
   */
  get isolating(): boolean {
    if (this.#suspect !== null) return true;
    this.#suspectHeld &&= this.buffer.some((lease) => this.#isSuspect(lease));
    return this.#suspectHeld;
  }

  /** Of all jobs that wait or run here. */
  leases(): Lease[] {
    return [...this.buffer.all(), ...this.#running.all().map(({ lease }) => lease)];
  }

  /** Takes leases to run; `pump` starts them. */
  accept(leases: readonly Lease[]): void {
    this.buffer.add(leases);
    this.#suspectHeld ||= leases.some((lease) => this.#isSuspect(lease));
  }

  /** Starts as many buffered jobs as there are slots, and room in their lanes. */
  pump(now = performance.now()): void {
    // A job that ends at once calls this again from within the loop, which goes on anyway.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      // Read as seldom as can be: for a job that does nothing, to ask for the time costs as much as anything else here.
      for (let time = now; this.#mayStart(time); ) time = this.#start(this.buffer.take() as Lease, time);
    } finally {
      this.#pumping = false;
    }
  }

  /** The job is to be cancelled. One that waits for a slot goes back to the store, which cancels it. */
  cancel(id: string): void {
    this.#options.onCancelled(this.end((lease) => lease.id === id, cancelled));
  }

  /** Asks the jobs for which `fits` holds to stop. Returns those that had not started, which are forgotten. */
  end(fits: (lease: Lease) => boolean, reason: (lease: Lease) => LongshoreError): Lease[] {
    this.#options.lane.admission?.takeBack();
    const unstarted = this.buffer.drop(fits);
    for (const attempt of this.#running.all())
      if (fits(attempt.lease)) this.#abort(attempt, reason(attempt.lease));
    return unstarted;
  }

  /** Jobs of these queues are not to start: those that wait for a slot go back to the store. */
  giveBack(queues: readonly string[]): void {
    const unstarted = this.buffer.drop((lease) => queues.includes(lease.queue));
    if (unstarted.length > 0) this.#options.onRelease(unstarted);
  }

  /** Every lease claimed before `now` whose job is not in `held` belongs to somebody else. */
  keepOnly(held: ReadonlySet<string>, now: number): void {
    const lost = (lease: Lease): boolean => lease.claimedAt < now && !held.has(lease.id);
    if (this.#running.all().some(({ lease }) => lost(lease))) this.#options.lane.admission?.takeBack();
    this.buffer.drop(lost);
    for (const attempt of this.#running.all()) {
      if (lost(attempt.lease) && !attempt.endsByItself) this.#lose(attempt);
    }
  }

  /** Takes the jobs that wait for a host out of their lanes: they end as released. */
  stopWaiting(): void {
    this.#options.lane.admission?.takeBack();
    for (const attempt of this.#running.all()) {
      if (!attempt.begun && attempt.stopper !== null) this.#abort(attempt, stopping(attempt.lease));
    }
  }

  /** Asks every running handler to stop. Returns how many there are. */
  abortAll(): number {
    this.#options.lane.admission?.takeBack();
    for (const attempt of this.#running.all()) this.#abort(attempt, stopping(attempt.lease));
    return this.#running.size;
  }

  /** Takes a slot when it says yes. */
  #mayStart(now: number): boolean {
    if (this.#suspect !== null) return false;
    const next = this.buffer.peek();
    if (next === undefined) return false;
    if (this.#isSuspect(next) && !this.#readyForSuspect()) return false;
    if (this.#turnPending && now >= this.#turnEndsAt) return false;
    return this.#places.take(next.task);
  }

  /** Returns the time afterwards. */
  #start(lease: Lease, now: number): number {
    if (!this.#turnPending) this.#beginTurn(now);
    const attempt = new Attempt(lease, this.#means, now);
    attempt.early = this.#places.tookNone;
    if (this.#isSuspect(lease)) this.#suspect = attempt;
    if (lease.crashes > 0) this.#loseEarlier(lease);
    this.#running.add(attempt);
    const { events, tasks } = this.#options;
    const task = tasks.get(lease.task);
    const fault = task === undefined ? null : openJob(attempt, this.#options.codec);
    if (task === undefined || isBarrier(fault)) void this.#passBy(attempt, fault as LongshoreError | null);
    else {
      if (events.wants('job.started') && !this.#toldOf.has(lease)) {
        events.emit('job.started', { ...facts(lease), waitMs: Math.max(0, lease.claimedAt - lease.dueAt) });
      }
      attempt.task = task;
      if (fault === null) this.#execute(trace(attempt, this.#options.traces), task);
      else this.#finish(attempt, this.#outcomeOf(fault, attempt));
    }
    return attempt.finished ? attempt.startedAt + attempt.runMs : performance.now();
  }

  /** This worker lost the job and got it again, while its first handler still runs. */
  #loseEarlier({ id }: Lease): void {
    for (const attempt of this.#running.all()) if (attempt.lease.id === id) this.#lose(attempt);
  }

  #lose(attempt: Attempt): void {
    this.#abort(attempt, leaseLost(attempt.lease));
  }

  /** This worker does not have its task, or cannot open what is stored of it. */
  async #passBy(attempt: Attempt, barrier: LongshoreError | null): Promise<void> {
    this.#finish(attempt, await this.#options.outcomeOfBarred(attempt.lease, barrier));
  }

  /** The pipeline. No promise is made for a job that ends in the turn it starts in. */
  #execute(attempt: Attempt, task: AnyTask): void {
    const { lane, codec } = this.#options;
    let outcome: Outcome | null;
    try {
      const returned = lane.run(task, attempt);
      if (isThenable(returned)) {
        void this.#finishLater(attempt, returned);
        return;
      }
      outcome = completed(attempt, returned, codec);
    } catch (thrown) {
      this.#finishThrown(attempt, thrown);
      return;
    }
    this.#finish(attempt, outcome);
  }

  async #finishLater(attempt: Attempt, returned: PromiseLike<string | null>): Promise<void> {
    let outcome: Outcome | null;
    try {
      outcome = completed(attempt, await returned, this.#options.codec);
    } catch (thrown) {
      this.#finishThrown(attempt, thrown);
      return;
    }
    this.#finish(attempt, outcome);
  }

  #finishThrown(attempt: Attempt, thrown: unknown): void {
    const { barrier, abortReason } = attempt;
    if (barrier === null || abortReason !== null || !isBarrier(thrown)) {
      this.#finish(attempt, this.#outcomeOf(thrown, attempt));
      return;
    }
    attempt.clearTimers();
    void this.#passBy(attempt, barrier);
  }

  #outcomeOf(thrown: unknown, attempt: Attempt): Outcome | null {
    const { clock, random } = this.#options;
    return outcomeOf(thrown, attempt, clock.now(), random);
  }

  #finish(attempt: Attempt, outcome: Outcome | null): void {
    if (attempt.finished) return;
    const now = performance.now();
    attempt.finish(now);
    this.#running.remove(attempt);
    if (this.#suspect === attempt) this.#suspect = null;
    this.#places.leave(attempt);
    this.#options.onOutcome(attempt, outcome);
    if (this.buffer.length > 0) this.pump(now);
  }

  /** It was started early and has not begun: as if it had not been taken out of the buffer. */
  #putBack(attempt: Attempt): void {
    if (attempt.finished) return;
    attempt.finished = true;
    this.#running.remove(attempt);
    this.#places.leave(attempt);
    this.#toldOf.add(attempt.lease);
    this.buffer.putBack(attempt.lease);
  }

  /** Asks the handler to stop; if it does not within the grace, its outcome is decided without it, and its code is stopped where that can be done. */
  #abort(attempt: Attempt, reason: LongshoreError): void {
    if (attempt.abortReason !== null || attempt.finished) return;
    attempt.clearTimers();
    const { clock, events, abortGraceMs } = this.#options;
    const abandon = (): void => {
      const runMs = performance.now() - attempt.startedAt;
      const stopped = attempt.stopper !== null;
      events.emit('job.abandoned', { ...facts(attempt.lease), runMs, reason: reason.code, stopped });
      attempt.stopper?.kill();
      this.#finish(attempt, this.#outcomeOf(reason, attempt));
    };
    attempt.timers = [clock.after(abortGraceMs, abandon)];
    attempt.abort(reason);
  }

  #isSuspect(lease: Lease): boolean {
    return isSuspect(lease, this.#options.crashesMax);
  }

  #readyForSuspect(): boolean {
    if (this.#running.size > 0) return false;
    if (this.buffer.length > 1) {
      const suspect = this.buffer.take() as Lease;
      this.#options.onRelease(this.buffer.takeAll());
      this.buffer.add([suspect]);
    }
    return this.#options.unsettled() === 0;
  }

  /** When the turn's time is over, the rest waits for the event loop to come round. */
  #beginTurn(now: number): void {
    this.#turnPending = true;
    this.#turnEndsAt = now + TURN_MS;
    setImmediate(() => {
      this.#turnPending = false;
      this.pump();
    });
  }
}
