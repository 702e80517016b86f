import type { CancelTimer, Clock } from '../core/clock.ts';
import { type ControlState, control, type Decision, initialState } from './control.ts';
import type { Sample } from './estimate.ts';
import type { TunerSettings } from './settings.ts';

/**
 * Applies the control law: reads the sensor five times a second, opens slots one by one, and shares them between the
 * workers of this process. There is one for each process, since what it watches is what the process may use (tuned.ts).
 */
export interface ControllerOptions {
  readonly settings: TunerSettings;
  readonly clock: Clock;
  /** Null while nothing can be read: then all stays as it is. */
  readonly sample: () => Sample | null;
}

/** A worker, as the controller sees it. */
export interface Member {
  readonly used: number;
  /** What is free has changed. */
  onChange(): void;
  onAdjusted(adjustment: Adjustment): void;
  onSampled(reading: Reading): void;
}

export interface Adjustment extends Decision, Sample {
  readonly used: number;
  readonly targetCpu: number;
  readonly targetMemory: number;
}

export interface Reading extends Sample {
  /** Now, by all workers of the process. */
  readonly used: number;
  /** Open now, and how many are to be opened. */
  readonly open: number;
  readonly total: number;
}

const SAMPLE_MS = 200;

/** A gap in the samples that is longer counts as this much: the machine slept, or its clock was set. */
const ELAPSED_MAX_MS = 2_000;

/** One who was refused a slot is first in line for the next, for so long. */
const IN_LINE_MS = 250;

export class Controller {
  readonly #options: ControllerOptions;
  /** When each was last refused a slot. */
  readonly #members = new Map<Member, number>();
  #state: ControlState;
  #open: number;
  #used = 0;
  #ended = 0;
  #slotMs = 0;
  #countedAt = 0;
  #sampledAt = 0;
  #cancelSample: CancelTimer | null = null;
  #cancelRamp: CancelTimer | null = null;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#state = initialState(options.settings);
    this.#open = this.#state.total;
  }

  /** Slots that nobody uses; below 0 where more are used than are open. */
  get free(): number {
    return this.#open - this.#used;
  }

  join(member: Member): void {
    if (this.#members.size === 0) this.#begin();
    this.#members.set(member, Number.NEGATIVE_INFINITY);
    this.#count(member.used);
  }

  leave(member: Member): void {
    if (!this.#members.delete(member)) return;
    this.#count(-member.used);
    this.#tellChange();
    if (this.#members.size === 0) this.#end();
  }

  tryReserve(member: Member): boolean {
    if (this.free > this.#othersInLine(member)) {
      this.#count(1);
      return true;
    }
    this.#members.set(member, this.#options.clock.now());
    return false;
  }

  release(): void {
    this.#count(-1);
    this.#ended += 1;
    if (this.#members.size > 1) this.#tellChange();
  }

  /** Those who use fewer than this member and were refused one lately. */
  #othersInLine(member: Member): number {
    if (this.#members.size === 1) return 0;
    const since = this.#options.clock.now() - IN_LINE_MS;
    let others = 0;
    for (const [other, refusedAt] of this.#members)
      if (refusedAt >= since && other.used < member.used) others += 1;
    return others;
  }

  #begin(): void {
    const now = this.#options.clock.now();
    this.#countedAt = now;
    this.#sampledAt = now;
    this.#options.sample();
    this.#sampleLater();
  }

  #end(): void {
    this.#cancelSample?.();
    this.#cancelRamp?.();
    this.#cancelRamp = null;
  }

  /** Slots times ms since the last sample, for the average of it. */
  #count(change: number): void {
    const now = this.#options.clock.now();
    this.#slotMs += this.#used * Math.max(0, now - this.#countedAt);
    this.#countedAt = now;
    this.#used += change;
  }

  #sampleLater(): void {
    this.#cancelSample = this.#options.clock.after(SAMPLE_MS, () => {
      this.#sampleLater();
      this.#sample();
    });
  }

  #sample(): void {
    const { clock, sample, settings } = this.#options;
    const seen = sample();
    const passedMs = clock.now() - this.#sampledAt;
    if (seen === null || passedMs === 0) return;
    this.#count(0);
    const used = passedMs > 0 ? this.#slotMs / passedMs : this.#used;
    const elapsedMs = Math.min(passedMs > 0 ? passedMs : SAMPLE_MS, ELAPSED_MAX_MS);
    const { state, decision } = control(
      this.#state,
      { ...seen, elapsedMs, used, usedNow: this.#used, ended: this.#ended, open: this.#open },
      settings,
    );
    this.#state = state;
    this.#slotMs = 0;
    this.#ended = 0;
    this.#sampledAt = clock.now();
    const reading = { ...seen, used: this.#used, open: this.#open, total: state.total };
    for (const member of this.#members.keys()) member.onSampled(reading);
    if (decision !== null) this.#adjust(decision, seen);
    this.#steer();
  }

  #adjust(decision: Decision, sample: Sample): void {
    const { targetCpu, targetMemory } = this.#options.settings;
    const adjustment = { ...decision, ...sample, used: this.#used, targetCpu, targetMemory };
    for (const member of this.#members.keys()) member.onAdjusted(adjustment);
  }

  /** Closes slots at once, opens them one by one. */
  #steer(): void {
    const { total } = this.#state;
    if (this.#open > total) {
      this.#open = total;
      this.#tellChange();
    }
    if (this.#open < total && this.#cancelRamp === null) this.#openNext();
  }

  #openNext(): void {
    const { clock, settings } = this.#options;
    this.#cancelRamp = null;
    if (this.#open >= this.#state.total) return;
    this.#open = settings.rampMs === 0 ? this.#state.total : this.#open + 1;
    this.#tellChange();
    if (this.#open < this.#state.total)
      this.#cancelRamp = clock.after(settings.rampMs, () => this.#openNext());
  }

  #tellChange(): void {
    for (const member of this.#members.keys()) member.onChange();
  }
}
