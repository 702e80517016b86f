import type { Longshore } from '../connect.ts';
import type { LoadTarget } from './generate.ts';

/** Jobs of one task, in our own stores. A worker that has the task must run elsewhere. */
export function queueTarget(
  longshore: Longshore,
  options: { readonly task: string; readonly queue: string | undefined; readonly input: unknown },
): LoadTarget {
  const { task, queue, input } = options;
  return {
    noun: 'Jobs',
    async run(_number, signal) {
      const job = await longshore.enqueue(task, input, queue === undefined ? {} : { queue });
      await job.result({ signal });
    },
    close: async () => undefined,
  };
}
