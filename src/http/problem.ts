import Type from 'typebox';
import { ERROR_CODES, type ErrorCode, LongshoreError } from '../core/errors.ts';

/** Problem documents (RFC 9457): our codes, what happened and what to do. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: '`urn:longshore:problem:` and the code' }),
    title: Type.String({ description: 'What the code means' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'What happened, and what to do' }),
    code: Type.Enum(Object.keys(ERROR_CODES)),
    retryable: Type.Boolean({ description: 'Whether the same request may succeed later, unchanged' }),
    details: Type.Record(Type.String(), Type.Unknown(), { description: 'Facts for programs' }),
  },
  { additionalProperties: false },
);

export const PROBLEM_MEDIA = 'application/problem+json';

const RETRY_AFTER_S = 1;

/** Of an error of Longshore's, or HTTP_FAILED. */
export function problemOf(error: unknown): Response {
  const known =
    error instanceof LongshoreError
      ? error
      : new LongshoreError(
          'HTTP_FAILED',
          'The API met an unexpected error; the program that serves it was told.',
        );
  const { code, message, details, retryable } = known;
  const status = statusOf(known);
  const headers: Record<string, string> = { 'content-type': PROBLEM_MEDIA, 'cache-control': 'no-store' };
  const { retryAfterS = RETRY_AFTER_S, allow } = details as { retryAfterS?: number; allow?: string };
  if (retryable && [409, 429, 503, 507].includes(status)) headers['retry-after'] = String(retryAfterS);
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="longshore"';
  if (allow !== undefined) headers.allow = allow;
  const body = {
    type: `urn:longshore:problem:${code}`,
    title: ERROR_CODES[code as ErrorCode].meaning,
    status,
    detail: message,
    code,
    retryable,
    details,
  };
  return new Response(JSON.stringify(body), { status, headers });
}

/**
 * A request that does not fit the document is 400. One that fits and still cannot be meant, such as a cron expression that is
 * none, is 422: the document cannot say all that the verbs check.
 */
function statusOf({ code, status }: LongshoreError): number {
  return code === 'OPTION_INVALID' || code === 'TASK_INVALID' || code === 'FLOW_INVALID' ? 422 : status;
}
