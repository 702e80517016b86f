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
  writeSync(1, `${JSON.stringify(said)}\n`);
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** The test's end is the program's: nothing outlives its test. */
export function endWithTest(): void {
  process.stdin.on('end', () => process.exit(0)).resume();
}
