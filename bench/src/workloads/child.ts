import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { monotonicMs } from '../pacer.ts';
import type { ChildAnswer } from './child-main.ts';
import type { Work } from './job-run.ts';

export interface ChildWork {
  /** Of the job, from 0. */
  readonly n: number;
  readonly iterations: number;
  /** 1: none but its own. */
  readonly threads: number;
}

/** Starts a Node process for one piece of work. Kills it when `signal` aborts; resolves or rejects once it has ended. */
export function computeInChild({ n, iterations, threads }: ChildWork, signal: AbortSignal): Promise<Work> {
  const startedAt = monotonicMs();
  const child = spawn(
    process.execPath,
    [...process.execArgv, MAIN, ...[n, iterations, threads].map(String)],
    // Its standard input says nothing: where it ends, so did who waits for the child.
    { stdio: ['pipe', 'pipe', 'inherit'], signal, killSignal: 'SIGKILL' },
  );
  let answer = '';
  let failure: unknown = null;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
  });
  child.stdin.on('error', () => undefined);
  child.once('error', (error) => {
    failure = error;
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code, killed) => {
      if (failure !== null) reject(failure);
      else if (code !== 0)
        reject(new Error(`The child process ended with ${killed ?? `exit code ${code}`}.`));
      else {
        const { result, cpuMicros, peakBytes } = JSON.parse(answer) as ChildAnswer;
        const pid = child.pid as number;
        resolve({ result, child: { pid, startedAt, endedAt: monotonicMs(), cpuMicros, peakBytes } });
      }
    });
  });
}

const MAIN = fileURLToPath(
  new URL(`./child-main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);
