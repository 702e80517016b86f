import { newId } from '../../../src/core/ids.ts';
import type { ClaimRequest, JobSpec } from '../../../src/store/store.ts';

/** Jobs go to queue `q` and are claimed by worker `w1` unless a test says otherwise. */
export function spec(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    id: newId(),
    queue: 'q',
    task: 'task',
    priority: 0,
    input: null,
    attemptsMax: 3,
    delayMs: 0,
    dueAt: null,
    unique: null,
    key: null,
    ...changes,
  };
}

export function claimRequest(changes: Partial<ClaimRequest> = {}): ClaimRequest {
  return { workerId: 'w1', queues: ['q'], limit: 1_000, leaseMs: 30_000, ...changes };
}
