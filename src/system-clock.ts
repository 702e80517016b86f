import type { CancelTimer, Clock } from './core/clock.ts';

const TIMER_MAX_MS = 2 ** 31 - 1;

/** The machine's clock. Its timers never keep the process alive; running work does (see Worker.start). */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs: number, fire: () => void): CancelTimer {
    const timer = setTimeout(fire, Math.min(Math.max(delayMs, 0), TIMER_MAX_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
