import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { monotonicMs } from '../pacer.ts';
import { handlerOf } from './handlers.ts';
import type { AgentSettings, JobInput } from './system.ts';

/**
 * Handlers in threads and processes of a system's own. Each run is appended to a file, whatever becomes of its host, which costs
 * about 2 µs a job, the same in every system; the agent reads it as it grows and counts the runs as if they were its own.
 */
const VARIABLE = 'LONGSHORE_BENCH_HOSTED';
const RECORD_BYTES = 24;

type Hosted = Pick<AgentSettings, 'marksFile' | 'handler' | 'digests'>;

/** For the agent, before it starts hosts: they inherit its environment. */
export function keepHosted({ marksFile, handler, digests }: AgentSettings): void {
  const own = { marksFile: `${marksFile}-${process.pid}`, handler, digests } satisfies Hosted;
  closeSync(openSync(own.marksFile, 'a'));
  process.env[VARIABLE] = JSON.stringify(own);
}

function hosted(): Hosted {
  return JSON.parse(process.env[VARIABLE] as string) as Hosted;
}

let host: { readonly handle: () => unknown; readonly descriptor: number } | null = null;

/** The handler of every system's hosts. */
export async function runHosted({ n, intendedMs = Number.NaN }: JobInput): Promise<void> {
  if (host === null) {
    const { handler, digests, marksFile } = hosted();
    host = { handle: handlerOf(handler, digests), descriptor: openSync(marksFile, 'a') };
  }
  const record = Buffer.alloc(RECORD_BYTES);
  record.writeDoubleLE(monotonicMs(), 8);
  await host.handle();
  record.writeDoubleLE(n);
  record.writeDoubleLE(intendedMs, 16);
  // One write at the end of the file: records of several processes do not mix.
  writeSync(host.descriptor, record, 0, RECORD_BYTES);
}

/** Hands each run on, soon after it was marked, or at once by `look`; as long as the process lives. */
export function followHosted(ran: (input: JobInput) => unknown): { look(): void } {
  const descriptor = openSync(hosted().marksFile, 'r');
  const chunk = Buffer.alloc(RECORD_BYTES * 4_096);
  let at = 0;
  const look = (): void => {
    for (;;) {
      const bytes = readSync(descriptor, chunk, 0, chunk.length, at);
      const whole = bytes - (bytes % RECORD_BYTES);
      for (let from = 0; from < whole; from += RECORD_BYTES) ran(inputOf(chunk, from));
      at += whole;
      if (whole < chunk.length) return;
    }
  };
  setInterval(look, LOOK_MS).unref();
  return { look };
}

const LOOK_MS = 4;

function inputOf(chunk: Buffer, from: number): JobInput {
  const [n, startedMs, intendedMs] = [0, 8, 16].map((offset) => chunk.readDoubleLE(from + offset)) as [
    number,
    number,
    number,
  ];
  return Number.isNaN(intendedMs) ? { n, startedMs } : { n, startedMs, intendedMs };
}
