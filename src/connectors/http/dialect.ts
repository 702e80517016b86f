import { LongshoreError } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import { isPlainObject } from '../../core/options.ts';

/** What an engine's answers mean, and how its faults are told: what differs between engines that speak HTTP. */
export interface Dialect {
  /** In messages: `Camunda`. */
  readonly engine: string;
  /** What to do where no answer came: by the codes of Node, with ` TLS` where it differs there, and for any other. */
  readonly remedies: Readonly<Record<string, string>>;
  readonly remedy: string;
  /** The engine's words in the body of an answer; what is no text counts as empty. */
  wordsOf(body: Readonly<Record<string, unknown>>): { readonly title: unknown; readonly detail: unknown };
  meaningOf(refusal: Refusal): Meaning;
  /** The engine's words in a message, behind the status; empty: it said none. */
  quoted(refusal: Refusal): string;
  readonly advice: Readonly<Partial<Record<Meaning, string>>>;
  /** The JSON of an answer. Throws where it is none. */
  parse(text: string): unknown;
}

/** An answer that is no success: the engine's, or what a proxy said. */
export interface Refusal {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** What the engine asked to wait, in ms; null: it did not say. */
  readonly retryAfterMs: number | null;
}

/**
 * By what there is to do. `busy`: later. `conflict`: again. `gone`: the work is not this worker's any more. `unauthorized`, `refused`:
 * somebody has to act.
 */
export type Meaning = 'busy' | 'conflict' | 'gone' | 'unauthorized' | 'refused';

export function refusalOf(
  { wordsOf }: Dialect,
  status: number,
  body: unknown,
  retryAfter: string | undefined,
): Refusal {
  const { title, detail } = wordsOf(isPlainObject(body) ? body : {});
  const seconds = Number(retryAfter ?? Number.NaN);
  return {
    status,
    title: typeof title === 'string' ? title : '',
    detail: typeof detail === 'string' ? detail : '',
    retryAfterMs: Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : null,
  };
}

/** No answer came, or none that an engine would give. */
export function unreachable(dialect: Dialect, address: string, cause: unknown): LongshoreError {
  const { engine, remedies, remedy } = dialect;
  const code = String((cause as { code?: unknown } | null)?.code ?? '');
  const secure = address.startsWith('https:') ? remedies[`${code} TLS`] : undefined;
  return new LongshoreError(
    'ENGINE_UNAVAILABLE',
    `${engine} at ${address} cannot be reached: ${reasonOf(cause)}. ${secure ?? remedies[code] ?? remedy}`,
    { cause, details: { address, ...(code === '' ? {} : { reason: code }) } },
  );
}

/** Remedies that all engines have. `noun`: what runs there; `settings`: what says where it is, and which certificates to use. */
export function remediesOf(
  noun: string,
  settings: { readonly url: string; readonly tls: string },
): Pick<Dialect, 'remedies' | 'remedy'> {
  const authority = `give its authority as ${settings.tls}, or to Node with NODE_EXTRA_CA_CERTS.`;
  const asked = `It asks for a client certificate that it knows: give one as ${settings.tls}.`;
  return {
    remedies: {
      ECONNREFUSED: `Nothing listens there: check host and port (${settings.url}), and that the ${noun} has started.`,
      ENOTFOUND: `There is no host of that name: check ${settings.url}.`,
      ECONNRESET: `The connection broke: the ${noun} may have restarted.`,
      // With TLS 1.3 the client is refused after it has begun to send.
      'ECONNRESET TLS': `The connection broke: the ${noun} may have restarted, or does not take the certificate of this client (${settings.tls}).`,
      TIMED_OUT: 'It may be overloaded or stand still.',
      DEPTH_ZERO_SELF_SIGNED_CERT: `Its certificate signs itself: ${authority}`,
      SELF_SIGNED_CERT_IN_CHAIN: `Nobody here knows who signed its certificate: ${authority}`,
      UNABLE_TO_VERIFY_LEAF_SIGNATURE: `Nobody here knows who signed its certificate: ${authority}`,
      UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `Nobody here knows who signed its certificate: ${authority}`,
      ERR_TLS_CERT_ALTNAME_INVALID: `Its certificate is for another name: check ${settings.url}.`,
      CERT_HAS_EXPIRED: 'Its certificate has expired, or the clock of this machine is wrong.',
      ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: asked,
      ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: asked,
    },
    remedy: `Check the address, and that the ${noun} runs.`,
  };
}

/** `meaning`: where it is not what such an answer means to a command about work. */
export function refused(
  dialect: Dialect,
  address: string,
  what: string,
  refusal: Refusal,
  meaning = dialect.meaningOf(refusal),
): LongshoreError {
  const { status, title, detail } = refusal;
  const { engine, advice } = dialect;
  return new LongshoreError(
    CODES[meaning],
    `${engine} at ${address} answers ${what} with ${status}${dialect.quoted(refusal)}. ${advice[meaning] ?? ''}`.trimEnd(),
    { details: { address, status, title, detail } },
  );
}

const CODES = {
  busy: 'ENGINE_UNAVAILABLE',
  conflict: 'ENGINE_UNAVAILABLE',
  gone: 'LEASE_LOST',
  unauthorized: 'ENGINE_REFUSED',
  refused: 'ENGINE_REFUSED',
} as const;
