import { correlationIdOf } from '../core/inherited.ts';
import type { Job } from '../core/job.ts';
import { isTerminal } from '../core/job-state.ts';
import type { JobCommand, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';

/**
 * The store as the clients, flows and workers of one connection use it: jobs that a command ends have the event of their end,
 * as those have that a worker ends. A command knows an id alone, so the jobs are read first, if anybody listens.
 */
export function tellEnds(store: Store, events: EventBus): Store {
  return {
    ...store,
    async control(commands, options) {
      const jobs = await jobsToEnd(store, events, commands);
      const receipts = await store.control(commands, options);
      for (const [index, { type, id, by }] of commands.entries()) {
        const receipt = receipts[index];
        const job = jobs.get(id);
        if (job === undefined || receipt?.status !== 'done') continue;
        const { queue, task, attempt } = job;
        const name = EVENT_OF[type];
        if (name === undefined || receipt.state === null || !isTerminal(receipt.state)) continue;
        const correlationId = correlationIdOf(job);
        events.emit(name, { id, queue, task, correlationId, attempt, waitMs: 0, runMs: 0, by });
      }
      return receipts;
    },
  };
}

/** Of the commands that end a job; the others change it or delete it. */
const EVENT_OF: { readonly [Type in JobCommand['type']]?: 'job.cancelled' | 'job.completed' } = {
  cancel: 'job.cancelled',
  resolve: 'job.completed',
};

async function jobsToEnd(
  store: Store,
  events: EventBus,
  commands: readonly JobCommand[],
): Promise<ReadonlyMap<string, Job>> {
  const ids = commands.flatMap(({ type, id }) => {
    const name = EVENT_OF[type];
    return name !== undefined && events.wants(name) ? [id] : [];
  });
  const jobs = ids.length === 0 ? [] : await store.get(ids);
  return new Map(jobs.flatMap((job) => (job === null ? [] : [[job.id, job] as const])));
}
