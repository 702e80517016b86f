import type { Lease } from '../store/store.ts';

/** What every event of an attempt says of its job. */
export function facts(lease: Lease): { id: string; queue: string; task: string; attempt: number } {
  return { id: lease.id, queue: lease.queue, task: lease.task, attempt: lease.attempt };
}
