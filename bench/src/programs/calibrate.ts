import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { program } from '../program.ts';
import { type Spread, spread } from '../spread.ts';
import { compute } from '../workloads/computation.ts';
import { writeDurably } from '../workloads/io.ts';

/** How much work this machine does alone: on one core, and by one writer. */
export interface CalibrationSettings {
  /** Where the measured files will be. */
  readonly folder: string;
}

export interface Rates {
  readonly cpuIterationsPerSecond: number;
  readonly ioWritesPerSecond: number;
}

/** The medians of several rounds, and how far apart the rounds were: a wide range is of a machine that was not quiet. */
export interface Calibration extends Rates {
  readonly rounds: Readonly<Record<keyof Rates, Spread>>;
}

program<CalibrationSettings, Calibration>(async ({ folder }) => {
  const cpu = await ratePerSecond(CPU_ROUND_MIN, processorMs, async (iterations) => {
    // Or it could be left out.
    seed = compute(seed, iterations);
  });
  const file = await open(join(folder, 'calibration'), 'w+');
  try {
    const write = (writes: number): Promise<void> => writeDurably(file, 0, writes);
    const io = await ratePerSecond(1, elapsedMs, write);
    return {
      cpuIterationsPerSecond: cpu.median,
      ioWritesPerSecond: io.median,
      rounds: { cpuIterationsPerSecond: cpu, ioWritesPerSecond: io },
    };
  } finally {
    await file.close();
  }
});

let seed = 1;
const CPU_ROUND_MIN = 1_000_000;
const ROUND_MS = 150;
const ROUNDS = 5;

/** Of several rounds, after warming up by looking for the size of one. */
async function ratePerSecond(
  sizeMin: number,
  nowMs: () => number,
  work: (amount: number) => Promise<void>,
): Promise<Spread> {
  const timed = async (): Promise<number> => {
    const began = nowMs();
    await work(amount);
    return nowMs() - began;
  };
  let amount = sizeMin;
  for (let tookMs = await timed(); tookMs < ROUND_MS; tookMs = await timed())
    amount = Math.ceil(amount * Math.min(4, (1.2 * ROUND_MS) / Math.max(tookMs, 1)));
  const rates: number[] = [];
  while (rates.length < ROUNDS) rates.push((amount * 1_000) / (await timed()));
  return spread(rates);
}

/** A second of a core is one that the core was had: also while somebody else wants it. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function elapsedMs(): number {
  return performance.now();
}
