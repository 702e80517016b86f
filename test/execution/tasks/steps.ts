/** Handlers that note that they ran, and then do as their input says. */
import { appendFileSync, closeSync, existsSync, openSync, unlinkSync } from 'node:fs';
import { defineTask } from '../../../src/index.ts';

export interface Step {
  readonly name: string;
  /** Where it notes its name; empty: nowhere. */
  readonly file: string;
  /** Holds its host until this file exists. */
  readonly gate?: string;
  readonly end?: 'throw' | 'exit' | 'kill' | 'loop' | 'wait';
}

const pause = new Int32Array(new SharedArrayBuffer(4));

function run({ name, file, gate, end }: Step): unknown {
  if (file !== '') appendFileSync(file, `${name}\n`);
  while (gate !== undefined && !existsSync(gate)) Atomics.wait(pause, 0, 0, 1);
  while (end === 'loop') Atomics.wait(pause, 0, 0, 1);
  if (end === 'throw') throw new Error(`${name} threw`);
  if (end === 'exit') process.exit(7);
  if (end === 'kill') process.kill(process.pid, 'SIGKILL');
  return end === 'wait' ? new Promise(() => undefined) : name;
}

export const step = defineTask({
  name: 'step',
  attempts: 1,
  timeoutMs: 60_000,
  run: ({ input }) => run(input as Step),
});

export const timedStep = defineTask({
  name: 'timed-step',
  attempts: 1,
  timeoutMs: 200,
  run: ({ input }) => run(input as Step),
});

/** As most handlers are written. */
export const asyncStep = defineTask({
  name: 'async-step',
  attempts: 1,
  run: async ({ input, log }) => {
    await null;
    log('said');
    return run(input as Step);
  },
});

/** Throws where another one with its gate runs at the same time. */
export const exclusiveStep = defineTask({
  name: 'exclusive-step',
  attempts: 1,
  run: ({ input }) => {
    const { gate } = input as Step;
    if (gate === undefined) return;
    closeSync(openSync(gate, 'wx'));
    unlinkSync(gate);
  },
});
