import { reasonOf } from '../core/legible.ts';
import type { Finding, Store, StoreDriver } from '../store/store.ts';
import { counted } from './text.ts';

/**
 * What the doctor says of waiting jobs whose task no live worker of their queue has. A look at the newest jobs of each
 * queue, since all of them may be millions; null where no worker is alive, which the store's own doctor tells.
 */
export async function checkTasks(driver: StoreDriver, url: string): Promise<Finding | null> {
  let store: Store | null = null;
  try {
    store = await driver.open(url, {});
    return await look(store);
  } catch (error) {
    const why = reasonOf(error);
    return {
      check: 'tasks',
      level: 'note',
      detail: `It cannot be told which tasks wait: ${why}`,
      remedy: null,
    };
  } finally {
    await store?.close();
  }
}

async function look(store: Store): Promise<Finding | null> {
  const workers = (await store.workers()).filter(({ alive }) => alive);
  if (workers.length === 0) return null;
  const waiting = (await store.queues()).filter(({ counts }) => counts.ready + counts.scheduled > 0);
  const lacking: string[] = [];
  for (const { name } of waiting.slice(0, QUEUES_MAX)) {
    const here = workers.filter(({ queues }) => queues.includes(name));
    const tasks = new Set(here.flatMap((worker) => worker.tasks));
    for (const task of await tasksIn(store, name))
      if (!tasks.has(task)) lacking.push(`'${task}' in queue '${name}'`);
  }
  if (lacking.length === 0) {
    const detail = `Of the newest waiting jobs, all have a live worker with their task (${counted(waiting.length, 'queue')} looked at).`;
    return { check: 'tasks', level: 'ok', detail, remedy: null };
  }
  const more = lacking.length > SHOWN_MAX ? `, and ${lacking.length - SHOWN_MAX} more` : '';
  return {
    check: 'tasks',
    level: 'note',
    detail: `Jobs wait whose task no live worker of their queue has: ${lacking.slice(0, SHOWN_MAX).join(', ')}${more}.`,
    remedy: 'Start a worker with the task for that queue, or cancel the jobs.',
  };
}

/** Of its newest waiting jobs. */
async function tasksIn(store: Store, queue: string): Promise<ReadonlySet<string>> {
  const tasks = new Set<string>();
  for (const state of ['ready', 'scheduled'] as const) {
    const { jobs } = await store.list({ queue, states: [state], limit: JOBS_MAX });
    for (const { task } of jobs) tasks.add(task);
  }
  return tasks;
}

const QUEUES_MAX = 100;
const JOBS_MAX = 100;
const SHOWN_MAX = 10;
