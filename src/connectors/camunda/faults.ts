import { LongshoreError } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import { isPlainObject } from '../../core/options.ts';

/** What may go wrong between a worker and its engine, told so that one knows what to do, and told apart by what helps. */

/** An answer that is no success: a problem document, or what a proxy said. */
export interface Refusal {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** What the engine asked to wait, in ms; null: it did not say. */
  readonly retryAfterMs: number | null;
}

/** `busy`: later. `gone`: the job is not this worker's any more. `unauthorized`, `refused`: somebody has to act. */
export type Meaning = 'busy' | 'gone' | 'unauthorized' | 'refused';

export function refusalOf(status: number, body: unknown, retryAfter: string | undefined): Refusal {
  const { title, detail } = isPlainObject(body) ? body : {};
  const seconds = Number(retryAfter ?? Number.NaN);
  return {
    status,
    title: typeof title === 'string' ? title : '',
    detail: typeof detail === 'string' ? detail : '',
    retryAfterMs: Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : null,
  };
}

export function meaningOf({ status, title, detail }: Refusal): Meaning {
  if (status === 401 || status === 403) return 'unauthorized';
  if (isBackpressure({ status, title })) return 'busy';
  // Without the engine's words it is a wrong path, or the page of a proxy.
  if (status === 404) return title === '' && detail === '' ? 'refused' : 'gone';
  if (status === 409) return 'gone';
  return status >= 500 ? 'busy' : 'refused';
}

/** The engine has too much to do and says so. */
export function isBackpressure({ status, title }: Pick<Refusal, 'status' | 'title'>): boolean {
  return status === 429 || status === 503 || title.includes('RESOURCE_EXHAUSTED');
}

/** No answer came, or none that an engine would give. */
export function unreachable(address: string, cause: unknown): LongshoreError {
  const code = String((cause as { code?: unknown } | null)?.code ?? '');
  return new LongshoreError(
    'ENGINE_UNAVAILABLE',
    `Camunda at ${address} cannot be reached: ${reasonOf(cause)}. ${REMEDIES[code] ?? 'Check the address, and that the cluster runs.'}`,
    { cause, details: { address, ...(code === '' ? {} : { reason: code }) } },
  );
}

const REMEDIES: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'Nothing listens there: check host and port (CAMUNDA_REST_ADDRESS), and that the cluster has started.',
  ENOTFOUND: 'There is no host of that name: check CAMUNDA_REST_ADDRESS.',
  ECONNRESET: 'The connection broke: the cluster may have restarted.',
  TIMED_OUT: 'It may be overloaded or stand still.',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'Its certificate signs itself: give its authority to Node with NODE_EXTRA_CA_CERTS.',
};

/** `meaning`: where it is not what such an answer means to a command about a job. */
export function refused(
  address: string,
  what: string,
  refusal: Refusal,
  meaning = meaningOf(refusal),
): LongshoreError {
  const { status, title, detail } = refusal;
  const said = [title, detail].filter((part) => part !== '').join(', ');
  return new LongshoreError(
    CODES[meaning],
    `Camunda at ${address} answers ${what} with ${status}${said === '' ? '' : ` (${said.slice(0, 500)})`}. ${ADVICE[meaning]}`,
    { details: { address, status, title, detail } },
  );
}

const CODES = {
  busy: 'ENGINE_UNAVAILABLE',
  gone: 'LEASE_LOST',
  unauthorized: 'ENGINE_REFUSED',
  refused: 'ENGINE_REFUSED',
} as const;

const ADVICE: Readonly<Record<Meaning, string>> = {
  busy: 'It has too much to do or is starting; it is asked again.',
  gone: 'The job is completed or cancelled, or its lock was lost.',
  unauthorized:
    'Check `auth` or CAMUNDA_AUTH_STRATEGY with its credentials, and what that client may do in the cluster.',
  refused:
    'Check CAMUNDA_REST_ADDRESS: it is that of the REST API, without or with /v2. The words are those of the cluster.',
};
