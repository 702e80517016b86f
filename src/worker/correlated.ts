import { correlationIdOf } from '../core/inherited.ts';
import type { Store } from '../store/store.ts';

/** Correlation ids of jobs of which no lease is at hand, in the same order. A job that is not kept goes by its own id. */
export async function correlationIds(store: Store, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const jobs = await store.get(ids);
  return ids.map((id, index) => correlationIdOf({ id, meta: jobs[index]?.meta ?? null }));
}
