import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { round } from '../spread.ts';
import type { MachineProbe } from './document.ts';
import { medianOf } from './ratio.ts';

const FSYNCS = 30;

/** Looks at the machine before and after a measurement: whether its disk and its cores were the same. */
export class MachineWatch {
  readonly #folder: string;
  readonly #ticks = ticks();

  constructor(folder: string) {
    this.#folder = folder;
  }

  probe(): MachineProbe {
    return {
      fsyncMs: round(medianOf(fsyncs(join(this.#folder, 'fsync-probe')))),
      load: round(loadavg()[0] ?? 0),
      stealPercent: this.#steal(),
    };
  }

  #steal(): number | null {
    const now = ticks();
    if (now === null || this.#ticks === null) return null;
    const all = now.all - this.#ticks.all;
    return all === 0 ? 0 : round((100 * (now.steal - this.#ticks.steal)) / all);
  }
}

function fsyncs(file: string): number[] {
  const block = Buffer.alloc(4_096, 1);
  const descriptor = openSync(file, 'w');
  try {
    return Array.from({ length: FSYNCS }, () => {
      const began = performance.now();
      writeSync(descriptor, block);
      fsyncSync(descriptor);
      return performance.now() - began;
    });
  } finally {
    closeSync(descriptor);
    rmSync(file, { force: true });
  }
}

/** Of all cores since the start of the machine: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)). */
function ticks(): { readonly all: number; readonly steal: number } | null {
  try {
    const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
    const counts = first.trim().split(/\s+/).slice(1, 9).map(Number);
    return { all: counts.reduce((sum, count) => sum + count, 0), steal: counts[7] ?? 0 };
  } catch {
    return null;
  }
}
