import type { Operation } from './operation.ts';

/** For how long an answer is shared. */
export const SHARED_MS = 1_500;

/** Callers that take an answer of that age, as the page does, share one: however many look, the store is asked once. */
export function isShareable({ method, id }: Operation, { headers }: Request): boolean {
  const age = /\bmax-age=(\d{1,6})\b/.exec(headers.get('cache-control') ?? '')?.[1];
  return method === 'GET' && !UNSHARED.has(id) && Number(age ?? 0) * 1_000 >= SHARED_MS;
}

/** They differ by caller, or wait, or are large and read from a file. */
const UNSHARED: ReadonlySet<string> = new Set(['getMe', 'streamEvents', 'awaitJob', 'awaitRun', 'getReport']);

export function keyOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return pathname + search;
}
