import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { compute, joined, type Share, seedOf, shares } from './computation.ts';
import { ownUse } from './own-use.ts';
import type { ProcessUse } from './run-log.ts';

/** The process that a job starts: `child-main <job's number> <iterations> <threads>`. Prints its answer as JSON. */
export type ChildAnswer = Pick<ProcessUse, 'cpuMicros' | 'peakBytes'> & { readonly result: number };

/** Some tens of milliseconds. */
const BETWEEN_LOOKS = 50_000_000;

if (isMainThread) await main(process.argv.slice(2).map(Number) as [number, number, number]);
else parentPort?.postMessage(compute((workerData as Share).seed, (workerData as Share).iterations));

async function main([n, iterations, threads]: [number, number, number]): Promise<void> {
  process.stdin.resume().once('close', () => process.exit(1));
  const result =
    threads === 1
      ? await computePatiently(seedOf(n), iterations)
      : joined(await Promise.all(shares(n, iterations, threads).map(computeInThread)));
  const { cpuMicros, peakBytes } = ownUse();
  const answer: ChildAnswer = { result, cpuMicros, peakBytes };
  process.stdout.write(JSON.stringify(answer), () => process.exit(0));
}

/** Looks up now and then, to notice that nobody waits any more. */
async function computePatiently(seed: number, iterations: number): Promise<number> {
  let state = seed;
  for (let left = iterations; left > 0; left -= BETWEEN_LOOKS) {
    state = compute(state, Math.min(left, BETWEEN_LOOKS));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return state;
}

function computeInThread(share: Share): Promise<number> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: share });
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}
