import type { ClaimRequest, JobSpec, Lease, Settlement } from '../../../src/store/store.ts';
import { spec } from '../../../src/testing/store-conformance/trial.ts';

export { spec };

export function specs(length: number): JobSpec[] {
  return Array.from({ length }, () => spec());
}

export function request(fields: Partial<ClaimRequest> = {}): ClaimRequest {
  return { workerId: 'w', queues: ['q'], limit: 10, leaseMs: 30_000, ...fields };
}

export function completed({ id, token }: Lease, result: string | null = null): Settlement {
  return { id, token, outcome: { type: 'completed', result } };
}
