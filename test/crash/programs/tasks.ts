import { setTimeout as delay } from 'node:timers/promises';
import { type AnyTask, defineTask, type JobContext } from '../../../src/index.ts';
import { monotonicMs, say } from './say.ts';

/** The tasks of the programs. Every run says when it starts and ends. */
export const tasks: AnyTask[] = [
  told('brief', ({ input }) => delay(input as number)),
  told('serial', () => delay(1)),
  told('kill-worker', () => {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  }),
  told('block', ({ input }) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, input as number);
  }),
  // Ends when told to on the program's input, whatever its signal says.
  told('until-told', async () => {
    await new Promise((resolve) => process.stdin.once('data', resolve));
    return `told in process ${process.pid}`;
  }),
];

function told(name: string, run: (context: JobContext<unknown>) => unknown): AnyTask {
  return defineTask({
    name,
    attempts: 1,
    queue: name === 'serial' ? 'serial' : 'default',
    run: async (context) => {
      const { id, attempt } = context;
      say({ say: 'started', id, attempt, at: monotonicMs() });
      const result = await run(context);
      say({ say: 'ended', id, attempt, at: monotonicMs() });
      return result;
    },
  });
}
