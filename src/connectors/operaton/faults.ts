import { LongshoreError, show } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';

/** What may go wrong between a worker and its engine, told so that one knows what to do, and told apart by what helps. */

/** No answer came, or none that an engine would give. */
export function unreachable(url: string, cause: unknown): LongshoreError {
  const code = String((cause as { code?: unknown } | null)?.code ?? '');
  const remedy = REMEDIES[code] ?? 'Check the address, and that the engine runs.';
  return new LongshoreError(
    'ENGINE_UNAVAILABLE',
    `Operaton at ${url} cannot be reached: ${reasonOf(cause)}. ${remedy}`,
    { cause, details: { url, ...(code === '' ? {} : { reason: code }) } },
  );
}

const REMEDIES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: check host and port, and that the engine has started.',
  ENOTFOUND: 'There is no host of that name: check the address.',
  ECONNRESET: 'The connection broke: the engine may have restarted.',
  TIMED_OUT: 'It may be overloaded or stand still.',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'Its certificate signs itself: give its authority to Node with NODE_EXTRA_CA_CERTS.',
};

/** An answer with a status that is no success. */
export interface Refusal {
  readonly status: number;
  /** The engine's name of the exception; empty where the answer is none of the engine's. */
  readonly type: string;
  readonly message: string;
}

/** The engine's own words out of an answer's body. */
export function refusalOf(status: number, body: unknown): Refusal {
  const { type, message } = (typeof body === 'object' && body !== null ? body : {}) as {
    type?: unknown;
    message?: unknown;
  };
  return {
    status,
    type: typeof type === 'string' ? type : '',
    message: typeof message === 'string' ? message : '',
  };
}

/** What a refusal means, by what there is to do. */
export type Meaning = 'busy' | 'conflict' | 'gone' | 'unauthorized' | 'refused';

export function meaningOf({ status, type, message }: Refusal): Meaning {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 429 || (status >= 502 && status <= 504)) return 'busy';
  if (type === 'OptimisticLockingException' || /ENGINE-03005/.test(message)) return 'conflict';
  // A 404 about anything but a task comes of a wrong path, or of a server whose engine has not started.
  if (status === 404) return /does not exist/.test(message) ? 'gone' : 'busy';
  return /is locked by worker|lock that expired/.test(message) ? 'gone' : 'refused';
}

export function refused(url: string, what: string, refusal: Refusal): LongshoreError {
  const { status, type, message } = refusal;
  const meaning = meaningOf(refusal);
  const code = CODES[meaning];
  const said = message === '' ? '' : `, ${show(message)}`;
  return new LongshoreError(
    code,
    `Operaton at ${url} answers ${what} with ${status}${said}. ${ADVICE[meaning]}`,
    { details: { url, status, type, message } },
  );
}

const CODES = {
  busy: 'ENGINE_UNAVAILABLE',
  conflict: 'ENGINE_UNAVAILABLE',
  gone: 'LEASE_LOST',
  unauthorized: 'ENGINE_REFUSED',
  refused: 'ENGINE_REFUSED',
} as const;

const ADVICE: Readonly<Record<Meaning, string>> = {
  busy: 'It may be starting or overloaded; if this lasts, check the address: it ends in /engine-rest as a rule.',
  conflict: 'Another transaction changed the same process; it is tried again.',
  gone: 'The task is completed or cancelled, or another worker holds its lock.',
  unauthorized: 'Check `auth`: user name and password, or token; and what that user may do in the engine.',
  refused: "The message is the engine's own.",
};
