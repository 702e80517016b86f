import { isPlainObject } from '../../core/options.ts';
import type { Json } from '../../core/payload.ts';

/** A job as the engine gives it out. Keys are text: they are larger than what a number holds. */
export interface CamundaJob {
  readonly jobKey: string;
  readonly type: string;
  readonly processDefinitionId: string;
  readonly processDefinitionKey: string;
  readonly processDefinitionVersion: number;
  readonly processInstanceKey: string;
  readonly elementId: string;
  readonly elementInstanceKey: string;
  readonly customHeaders: Readonly<Record<string, unknown>>;
  /** Attempts that may still end in an error, the next one included. */
  readonly retries: number;
  /** When its lock ends unless it is extended, ms since the epoch by the engine's clock. */
  readonly deadline: number;
  readonly variables: Readonly<Record<string, Json>>;
  readonly tenantId: string;
  readonly tags: readonly string[];
  /** What fences this activation, where it was asked for (`leases`); null otherwise. */
  readonly lease: string | null;
}

/** The jobs in an answer to an activation; null for an answer that no engine gives. What is no job in it is left out. */
export function jobsIn(body: unknown): readonly CamundaJob[] | null {
  if (!isPlainObject(body) || !Array.isArray(body.jobs)) return null;
  return body.jobs.flatMap((value: unknown) => {
    const job = jobOf(value);
    return job === null ? [] : [job];
  });
}

function jobOf(value: unknown): CamundaJob | null {
  if (!isPlainObject(value)) return null;
  const key = value.jobKey;
  if ((typeof key !== 'string' && typeof key !== 'number') || typeof value.type !== 'string') return null;
  const text = (name: string): string => String(value[name] ?? '');
  return {
    jobKey: String(key),
    type: value.type,
    processDefinitionId: text('processDefinitionId'),
    processDefinitionKey: text('processDefinitionKey'),
    processDefinitionVersion: Number(value.processDefinitionVersion ?? 0),
    processInstanceKey: text('processInstanceKey'),
    elementId: text('elementId'),
    elementInstanceKey: text('elementInstanceKey'),
    customHeaders: isPlainObject(value.customHeaders) ? value.customHeaders : {},
    retries: Number(value.retries ?? 1),
    deadline: Number(value.deadline ?? 0),
    variables: (isPlainObject(value.variables) ? value.variables : {}) as Record<string, Json>,
    tenantId: text('tenantId'),
    tags: Array.isArray(value.tags) ? value.tags.map(String) : [],
    lease: typeof value.jobLeaseToken === 'string' ? value.jobLeaseToken : null,
  };
}

/** What proves with a command that its sender holds the job. */
export function fence({ lease }: CamundaJob): { readonly jobLeaseToken?: string } {
  return lease === null ? {} : { jobLeaseToken: lease };
}
