import { writeSync } from 'node:fs';

/** What a program tells its test. Times are of the machine's monotonic clock, in ms, and compare between processes. */
export type Said =
  | { readonly say: 'ready' }
  | { readonly say: 'acked'; readonly ids: readonly string[] }
  | { readonly say: 'started'; readonly id: string; readonly attempt: number; readonly at: number }
  | { readonly say: 'ended'; readonly id: string; readonly attempt: number; readonly at: number }
  /** The store's receipt of an outcome. */
  | { readonly say: 'settled'; readonly id: string; readonly attempt: number; readonly as: string }
  | { readonly say: 'lost'; readonly id: string; readonly attempt: number };

/** Written before it returns: the kernel keeps it, even if the process is killed right after. */
export function say(said: Said): void {
  let rest = Buffer.from(`${JSON.stringify(said)}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSome(rest));
}

/** The pipe does not block: while it is full, its reader needs a moment. */
function writeSome(bytes: Buffer): number {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** The test's end is the program's: nothing outlives its test. */
export function endWithTest(): void {
  process.stdin.on('end', () => process.exit(0)).resume();
}
