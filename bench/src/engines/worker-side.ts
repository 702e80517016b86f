import { monotonicMs } from '../pacer.ts';
import { program } from '../program.ts';
import type { EngineWorkerRun, EngineWorkerSettings } from './engine.ts';

/** The program of a worker, ours or the engine's own: started, told when what counts begins, and stopped by the bench. */

export interface Marks {
  started(): void;
  /** `key`: what the load knows the work by, where the engine does not tell it of ends. */
  ended(key: string): void;
}

/** `open` starts a worker and resolves to what stops it. */
export function engineWorker(
  open: (settings: EngineWorkerSettings, marks: Marks) => Promise<() => Promise<unknown>>,
): void {
  program<EngineWorkerSettings, EngineWorkerRun>(async (settings, parent) => {
    let [firstAtMs, lastAtMs, batch] = [Number.NaN, Number.NaN, 0];
    let ended: string[] = [];
    const tell = setInterval(() => {
      if (ended.length === 0) return;
      // A name for each, since only the last message of a name is kept.
      parent.say(`ended-${batch}`, ended);
      batch += 1;
      ended = [];
    }, TELL_MS);
    const stop = await open(settings, {
      started() {
        if (Number.isNaN(firstAtMs)) firstAtMs = monotonicMs();
      },
      ended(key) {
        lastAtMs = monotonicMs();
        ended.push(key);
      },
    });
    parent.say('ready');
    await parent.told('begin');
    const before = process.cpuUsage();
    [firstAtMs, lastAtMs] = [Number.NaN, Number.NaN];
    parent.say('began');
    await parent.told('measure');
    const { user, system } = process.cpuUsage(before);
    parent.say('measured');
    await parent.told('stop');
    clearInterval(tell);
    await stop();
    return { cpuMs: (user + system) / 1_000, firstAtMs, lastAtMs };
  });
}

const TELL_MS = 5;
