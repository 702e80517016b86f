import { newId } from '../../../src/core/ids.ts';
import type { ClaimRequest, JobSpec, Lease, Settlement } from '../../../src/store/store.ts';

export function spec(fields: Partial<JobSpec> = {}): JobSpec {
  return {
    id: newId(),
    queue: 'q',
    task: 'task',
    priority: 0,
    input: '{"n":1}',
    attemptsMax: 3,
    delayMs: 0,
    dueAt: null,
    unique: null,
    key: null,
    ...fields,
  };
}

export function specs(length: number): JobSpec[] {
  return Array.from({ length }, () => spec());
}

export function request(fields: Partial<ClaimRequest> = {}): ClaimRequest {
  return { workerId: 'w', queues: ['q'], limit: 10, leaseMs: 30_000, ...fields };
}

export function completed({ id, token }: Lease, result: string | null = null): Settlement {
  return { id, token, outcome: { type: 'completed', result } };
}
