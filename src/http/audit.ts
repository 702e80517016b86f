import type { Call, Operation } from './operation.ts';

/** Writes down who did what through the API. */
export interface Acted {
  readonly operation: Operation;
  readonly call: Call<unknown, unknown, unknown>;
  /** What was answered. */
  readonly json: unknown;
}

/** What work is made of is no action by hand, and there may be thousands a second. */
const NOT_BY_HAND: ReadonlySet<string> = new Set(['createJob', 'createJobs', 'startRun', 'previewTiming']);
/** Payloads stay with what they belong to. */
const PAYLOADS: ReadonlySet<string> = new Set(['input', 'result', 'payload', 'meta', 'why', 'note']);
const ANSWERED = ['done', 'jobs', 'removed', 'refused', 'requested', 'status', 'starts'];

export function isByHand({ id, method }: Operation): boolean {
  return method !== 'GET' && !NOT_BY_HAND.has(id);
}

export async function recordAction({ operation, call, json }: Acted): Promise<void> {
  const { longshore, caller, settings } = call;
  const params = Object.values(call.params as Readonly<Record<string, string>>);
  const body = call.body as Readonly<Record<string, unknown>>;
  const { why, note, dryRun } = body;
  if (dryRun === true) return;
  const given = Object.fromEntries(Object.entries(body).filter(([name]) => !PAYLOADS.has(name)));
  try {
    await longshore.audit.record({
      by: caller.name,
      action: operation.id,
      target: params.length === 0 ? null : params.join(' / '),
      why: (why ?? note ?? null) as string | null,
      details: { ...(Object.keys(given).length === 0 ? {} : { given }), ...answered(json) },
    });
  } catch (error) {
    // The action was done: whoever asked for it must not be told otherwise.
    settings.onError(error);
  }
}

function answered(json: unknown): object {
  const entries = Object.entries((json ?? {}) as object).filter(([name]) => ANSWERED.includes(name));
  const shown = entries.map(([name, value]) => [name, Array.isArray(value) ? value.length : value]);
  return shown.length === 0 ? {} : { did: Object.fromEntries(shown) };
}
