import type { WorkerParts } from './parts.ts';

/** Says where the worker is, and tells workers of one process apart: `host-4711-k3f9x2ab`. */
export function workerId({ host, pid, random }: Pick<WorkerParts, 'host' | 'pid' | 'random'>): string {
  const own = Math.floor(random() * 36 ** 8)
    .toString(36)
    .padStart(8, '0');
  return `${host}-${pid}-${own}`;
}
