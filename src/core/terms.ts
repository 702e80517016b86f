/**
 * Jobs are found by these beside their columns: the correlation id and the tags in their meta, as texts that a store keeps
 * an index of. Jobs without either have no terms and are in no such index.
 */

/** A correlation id or a tag, told apart by its first letter. */
export type Term = `c:${string}` | `t:${string}`;

/** Each once. Meta that cannot be read has none. */
export function termsOf(meta: string | null | undefined): readonly Term[] {
  if (meta == null || !MAY_HAVE.some((field) => meta.includes(field))) return NONE;
  const { correlationId, tags } = parsed(meta);
  const own: Term[] = typeof correlationId === 'string' ? [`c:${correlationId}`] : [];
  const given = Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  return [...own, ...new Set(given.map((tag): Term => `t:${tag}`))];
}

/** What is looked for, as in JobFilter. */
export interface TermFilter {
  readonly correlationId?: string;
  readonly tag?: string;
}

/** All of these must be there. */
export function termsWanted({ correlationId, tag }: TermFilter): readonly Term[] {
  return [
    ...(correlationId === undefined ? [] : [`c:${correlationId}` as const]),
    ...(tag === undefined ? [] : [`t:${tag}` as const]),
  ];
}

/**
 * Whether a job is what the filter looks for. The job whose id is the correlation id counts, too, unless it has another one
 * of its own: what it enqueued inherited its id.
 */
export function hasTerms(
  job: { readonly id: string; readonly meta: string | null },
  wanted: TermFilter,
): boolean {
  const { correlationId, tag } = wanted;
  const terms = termsOf(job.meta);
  if (tag !== undefined && !terms.includes(`t:${tag}`)) return false;
  if (correlationId === undefined || terms.includes(`c:${correlationId}`)) return true;
  return job.id === correlationId && !terms.some((term) => term.startsWith('c:'));
}

const NONE: readonly Term[] = Object.freeze([]);
const MAY_HAVE = ['"correlationId"', '"tags"'];

function parsed(meta: string): { readonly correlationId?: unknown; readonly tags?: unknown } {
  try {
    const found: unknown = JSON.parse(meta);
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}
