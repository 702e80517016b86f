import { type ErrorCode, LongshoreError } from '../../core/errors.ts';
import { memberOf, reasonOf } from '../../core/legible.ts';
import type { TemporalSettings } from './options.ts';

/** Status codes of gRPC that mean something to whoever set the worker up. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAUTHENTICATED = 16;
const INVALID_ARGUMENT = 3;

/** Why a worker is not connected, and what to do about it, in one sentence each. */
export function connectionTrouble(
  error: unknown,
  { namespace, taskQueue }: Pick<TemporalSettings, 'namespace' | 'taskQueue'>,
  address: string,
): LongshoreError {
  const said = (code: ErrorCode, what: string, remedy: string): LongshoreError =>
    new LongshoreError(code, `${what} ${remedy}`, {
      cause: error,
      details: { engine: 'temporal', address, namespace, taskQueue },
    });
  const text = deepReason(error);
  const code = codeOf(error);
  if (code === NOT_FOUND || /namespace .*not found/i.test(text))
    return said(
      'ENGINE_REFUSED',
      `Temporal at ${address} has no namespace '${namespace}'.`,
      `Create it with: temporal operator namespace create --namespace ${namespace}; or correct the option namespace (TEMPORAL_WORKER_NAMESPACE).`,
    );
  if (
    code === UNAUTHENTICATED ||
    code === PERMISSION_DENIED ||
    /unauthenticated|permission.?denied|unauthorized/i.test(text)
  )
    return said(
      'ENGINE_REFUSED',
      `Temporal at ${address} refuses this worker (${text}).`,
      'Correct the API key (DEFAULT_TEMPORAL_API_KEY) or the client certificate, and its rights on the namespace.',
    );
  if (code === UNIMPLEMENTED || /unimplemented/i.test(text))
    return said(
      'ENGINE_UNSUPPORTED',
      `What answers at ${address} is no Temporal server, or one too old for this SDK (${text}).`,
      'The frontend of a server from 1.20 on is needed; its port is 7233 by default, the page has another one.',
    );
  if (code === INVALID_ARGUMENT)
    return said(
      'ENGINE_REFUSED',
      `Temporal at ${address} does not take what it was asked (${text}).`,
      'Correct namespace and task queue.',
    );
  if (/tls|certificate|handshake|InvalidContentType|corrupt message/i.test(text))
    return said(
      'ENGINE_UNAVAILABLE',
      `TLS with ${address} failed (${text}).`,
      'Turn TLS on or off as the server has it (DEFAULT_TEMPORAL_TLS), and check the certificates.',
    );
  return said(
    'ENGINE_UNAVAILABLE',
    `No Temporal server answers at ${address} (${text}).`,
    'Start one (temporal server start-dev), or correct the address (connection.address, DEFAULT_TEMPORAL_URL).',
  );
}

/** gRPC errors of the SDK keep the code; some are wrapped. */
function codeOf(error: unknown): number | null {
  for (let each = error, depth = 0; each !== undefined && each !== null && depth < DEPTH_MAX; depth += 1) {
    const code = memberOf(each, 'code');
    if (typeof code === 'number') return code;
    each = memberOf(each, 'cause');
  }
  return null;
}

function deepReason(error: unknown): string {
  const reasons: string[] = [];
  for (let each = error, depth = 0; each !== undefined && each !== null && depth < DEPTH_MAX; depth += 1) {
    const reason = plain(reasonOf(each));
    if (reason !== '' && !reasons.some((other) => other.includes(reason))) reasons.push(reason);
    each = memberOf(each, 'cause');
  }
  return reasons.join(': ').slice(0, REASON_CHARS_MAX);
}

/** The SDK's native part prints errors as Rust does: what the innermost one says is enough. */
function plain(text: string): string {
  const certificate = /InvalidCertificate\((\w+)/.exec(text)?.[1];
  if (certificate !== undefined) return `the server's certificate is not valid: ${certificate}`;
  const said = [...text.matchAll(/(?:message|error): "([^"]+)"/g)].at(-1)?.[1] ?? text;
  return said.replace(/\s+/g, ' ').trim();
}

const DEPTH_MAX = 5;
const REASON_CHARS_MAX = 300;
