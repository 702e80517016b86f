import type { CancelTimer, Clock } from '../core/clock.ts';
import { reasonOf } from '../core/legible.ts';
import type { HttpAnswer, HttpCall, Send } from './http-request.ts';

/**
 * When the lock of each work is renewed: every `intervalMs`, one request at a time for each lock, and at most `requestsMax` at a
 * time in all. An answer that refuses (429, 503 and other faults of the server) counts as the request of its interval; one that was
 * never answered is tried again sooner. After either all locks wait: 100 ms, doubling, at most 5 s or the shortest interval of all,
 * and then one request alone goes first. Runs in the keeper's thread (keeper-thread.ts), or wherever a test has it.
 */
export interface Lock {
  readonly call: HttpCall;
  readonly intervalMs: number;
  /** Until the first renewal. */
  readonly firstMs: number;
}

/** What became of a renewal, where it did not go well, or does again. */
export type Report =
  /** Somebody else may have the work. */
  | { readonly type: 'lost'; readonly lock: number; readonly status: number; readonly text: string }
  /** `status`: null where there was no answer. */
  | {
      readonly type: 'failed';
      readonly status: number | null;
      readonly text: string;
      readonly retryMs: number;
    }
  | { readonly type: 'well' };

export interface RenewalsOptions {
  readonly send: Send;
  readonly clock: Clock;
  readonly random: () => number;
  readonly requestsMax: number;
  /** Statuses that say a lock is lost. */
  readonly lostStatuses: readonly number[];
  readonly report: (report: Report) => void;
}

const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 5_000;
/** A busy server would be given ever more requests. */
const TIMEOUT_MIN_MS = 1_000;
const TIMEOUT_MAX_MS = 10_000;

interface Kept extends Lock {
  readonly number: number;
  cancel: CancelTimer;
}

export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #kept = new Map<number, Kept>();
  /** Those whose time has come. */
  readonly #due = new Set<Kept>();
  #headers: Readonly<Record<string, string>> = {};
  #underWay = 0;
  /** Since the last success, of all locks. */
  #failures = 0;
  #cancelPause: CancelTimer | null = null;
  /** When the pause ends, by the clock. */
  #pausedUntil = 0;
  #closed = false;

  constructor(options: RenewalsOptions) {
    this.#options = options;
  }

  /** Added to those of each request, and stronger: tokens end. */
  setHeaders(headers: Readonly<Record<string, string>>): void {
    this.#headers = headers;
  }

  hold(number: number, lock: Lock): void {
    this.release(number);
    const kept: Kept = { ...lock, number, cancel: () => undefined };
    this.#kept.set(number, kept);
    this.#later(kept, lock.firstMs);
    const leftMs = this.#pausedUntil - this.#options.clock.now();
    if (this.#cancelPause !== null && leftMs > lock.intervalMs) this.#pauseFor(lock.intervalMs);
  }

  release(number: number): void {
    const kept = this.#kept.get(number);
    if (kept === undefined) return;
    kept.cancel();
    this.#kept.delete(number);
    this.#due.delete(kept);
  }

  close(): void {
    this.#closed = true;
    for (const number of [...this.#kept.keys()]) this.release(number);
    this.#cancelPause?.();
  }

  #later(kept: Kept, ms: number): void {
    kept.cancel = this.#options.clock.after(Math.max(0, ms), () => {
      this.#due.add(kept);
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#cancelPause !== null) return;
    const most = this.#failures === 0 ? this.#options.requestsMax : 1;
    for (const kept of this.#due) {
      if (this.#underWay >= most) return;
      this.#due.delete(kept);
      void this.#renew(kept);
    }
  }

  async #renew(kept: Kept): Promise<void> {
    const { clock, send } = this.#options;
    const { call, intervalMs } = kept;
    const beganAt = clock.now();
    this.#underWay += 1;
    const headers = { ...call.headers, ...this.#headers };
    let answer: HttpAnswer | null = null;
    let fault = '';
    try {
      answer = await send(
        { ...call, headers },
        Math.min(Math.max(intervalMs, TIMEOUT_MIN_MS), TIMEOUT_MAX_MS),
      );
    } catch (error) {
      fault = reasonOf(error);
    }
    this.#underWay -= 1;
    if (this.#closed) return;
    const waitMs = this.#judge(kept, answer, fault);
    const passedMs = Math.max(0, clock.now() - beganAt);
    if (waitMs !== null && this.#kept.get(kept.number) === kept)
      this.#later(kept, answer === null ? waitMs : Math.max(waitMs, intervalMs - passedMs));
    this.#pump();
  }

  /** How long the lock has to wait at least; null where it is lost. */
  #judge(kept: Kept, answer: HttpAnswer | null, fault: string): number | null {
    const { lostStatuses, report } = this.#options;
    if (answer !== null && answer.status >= 200 && answer.status < 300) {
      if (this.#failures > 0) report({ type: 'well' });
      this.#failures = 0;
      return 0;
    }
    if (answer !== null && lostStatuses.includes(answer.status)) {
      const isHeld = this.#kept.get(kept.number) === kept;
      this.release(kept.number);
      // It answers, so it is well; and a lock that was let go of meanwhile is nobody's loss.
      this.#failures = 0;
      if (isHeld) report({ type: 'lost', lock: kept.number, status: answer.status, text: answer.text });
      return null;
    }
    const retryMs = this.#pause(answer?.retryAfterMs ?? null);
    report({ type: 'failed', status: answer?.status ?? null, text: answer?.text ?? fault, retryMs });
    return retryMs;
  }

  /** All locks wait. A server that asks for more time gets it, within the shortest interval: after that a lock would be in danger. */
  #pause(askedMs: number | null): number {
    const jitter = 0.8 + 0.4 * this.#options.random();
    const backoffMs = Math.min(PAUSE_FIRST_MS * 2 ** this.#failures, PAUSE_MAX_MS) * jitter;
    let pauseMs = Math.max(backoffMs, askedMs ?? 0);
    for (const { intervalMs } of this.#kept.values()) pauseMs = Math.min(pauseMs, intervalMs);
    this.#failures += 1;
    this.#pauseFor(pauseMs);
    return pauseMs;
  }

  #pauseFor(ms: number): void {
    const { clock } = this.#options;
    this.#pausedUntil = clock.now() + ms;
    this.#cancelPause?.();
    this.#cancelPause = clock.after(ms, () => {
      this.#cancelPause = null;
      this.#pump();
    });
  }
}
