import type { LoopPlace } from '../ceiling.ts';
import { Ledger, type LedgerReport } from '../ledger.ts';
import { openLoop } from '../open-ceiling.ts';
import { monotonicMs, pace, systemPacerClock } from '../pacer.ts';
import { program } from '../program.ts';

/**
 * The least that a job's way from one process to another costs on a server: a row committed by hand together with a
 * notification, and the process that hears it. The clock runs from the intended time of sending, as for jobs.
 */
export interface HandoverSettings extends LoopPlace {
  readonly role: 'sender' | 'listener';
  /** Notifications a second. */
  readonly rate: number;
  readonly count: number;
}

export interface HandoverRun {
  /** From the intended time to the listener's callback, ms, by notification; null for the sender. */
  readonly heardMs: Float64Array | null;
  readonly ledger: LedgerReport | null;
}

program<HandoverSettings, HandoverRun>(async ({ role, rate, count, ...place }, parent) => {
  parent.told('time').then(() => parent.say('time', monotonicMs()));
  const loop = await openLoop(place);
  try {
    if (role === 'listener') {
      const heardMs = new Float64Array(count);
      const ledger = new Ledger(count);
      await loop.listen((message) => {
        const [n, intendedMs] = message.split(' ').map(Number) as [number, number];
        heardMs[n] = monotonicMs() - intendedMs;
        ledger.mark(n);
      });
      parent.say('ready');
      // What was committed last may still be on its way.
      await parent.told('sent');
      await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
      return { heardMs, ledger: ledger.report() };
    }
    parent.say('ready');
    await parent.told('go');
    const sent: (void | Promise<void>)[] = [];
    const send = (n: number, intendedMs: number): void => {
      sent.push(loop.commitOne({ n }, `${n} ${intendedMs}`));
    };
    await pace({ rate, count, clock: systemPacerClock, send });
    await Promise.all(sent);
    return { heardMs: null, ledger: null };
  } finally {
    await loop.close();
  }
});

const AFTER_MS = 500;
