import { type EncryptionOptions, keyIdOf } from '../cipher.ts';
import type { Job } from '../core/job.ts';
import { reasonOf } from '../core/legible.ts';
import type { Finding, Store, StoreDriver } from '../store/store.ts';
import { counted } from './text.ts';

/**
 * The doctor's words on waiting jobs that nobody can run: no live worker of their queue has their task, or the config
 * file has no key for their input. A look at the newest jobs of each queue, since all of them may be millions.
 */
export async function checkWaiting(
  driver: StoreDriver,
  url: string,
  encryption: EncryptionOptions | undefined,
): Promise<Finding[]> {
  let store: Store | null = null;
  try {
    store = await driver.open(url, {});
    const queues = await waitingIn(store);
    const findings = [await checkTasks(store, queues), checkKeys(queues, encryption)];
    return findings.filter((finding) => finding !== null);
  } catch (error) {
    const why = reasonOf(error);
    const detail = `It cannot be told which jobs wait: ${why}`;
    return [{ check: 'waiting', level: 'note', detail, remedy: null }];
  } finally {
    await store?.close();
  }
}

interface WaitingQueue {
  readonly name: string;
  readonly jobs: readonly Job[];
}

async function waitingIn(store: Store): Promise<WaitingQueue[]> {
  const queues = (await store.queues()).filter(({ counts }) => counts.ready + counts.scheduled > 0);
  const waiting: WaitingQueue[] = [];
  for (const { name } of queues.slice(0, QUEUES_MAX)) {
    const jobs: Job[] = [];
    for (const state of ['ready', 'scheduled'] as const)
      jobs.push(...(await store.list({ queue: name, states: [state], limit: JOBS_MAX })).jobs);
    waiting.push({ name, jobs });
  }
  return waiting;
}

/** Null where no worker is alive, which the store's own doctor tells. */
async function checkTasks(store: Store, waiting: readonly WaitingQueue[]): Promise<Finding | null> {
  const workers = (await store.workers()).filter(({ alive }) => alive);
  if (workers.length === 0) return null;
  const lacking: string[] = [];
  for (const { name, jobs } of waiting) {
    const here = workers.filter(({ queues }) => queues.includes(name));
    const tasks = new Set(here.flatMap((worker) => worker.tasks));
    for (const task of new Set(jobs.map((job) => job.task)))
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

/** Null where the config file says nothing of keys: the workers may have others. */
function checkKeys(
  waiting: readonly WaitingQueue[],
  encryption: EncryptionOptions | undefined,
): Finding | null {
  if (encryption === undefined) return null;
  const known = new Set(encryption.keys.map(({ id }) => id));
  const lacking = new Set<string>();
  for (const { name, jobs } of waiting) {
    for (const { input } of jobs) {
      if (input === null) continue;
      const id = keyIdOf(input);
      if (id !== null && !known.has(id)) lacking.add(`key '${id}' in queue '${name}'`);
      else if (id === null && encryption.acceptPlain !== true) lacking.add(`no key in queue '${name}'`);
    }
  }
  if (lacking.size === 0) {
    const detail = 'The config file has the keys of the newest waiting jobs.';
    return { check: 'keys', level: 'ok', detail, remedy: null };
  }
  return {
    check: 'keys',
    level: 'note',
    detail: `Jobs wait whose input the config file cannot open: ${[...lacking].slice(0, SHOWN_MAX).join(', ')}.`,
    remedy:
      'Give the workers the key, or acceptPlain for inputs without one; they put such jobs off until then.',
  };
}

const QUEUES_MAX = 100;
const JOBS_MAX = 100;
const SHOWN_MAX = 10;
