import { optionInvalid } from '../../core/errors.ts';

/** Who the worker is at the engine. A token that changes is asked for before each request: keep it where it is cheap to read. */
export type Auth =
  | { readonly username: string; readonly password: string }
  | { readonly token: string | (() => string | Promise<string>) };

/** Throws OPTION_INVALID. What is secret is never shown. */
export function requireAuth(auth: unknown): Auth {
  const given = (typeof auth === 'object' && auth !== null ? auth : {}) as Readonly<Record<string, unknown>>;
  const isBasic = typeof given.username === 'string' && typeof given.password === 'string';
  const isBearer =
    (typeof given.token === 'string' && given.token !== '') || typeof given.token === 'function';
  if (isBasic !== isBearer) return given as Auth;
  throw optionInvalid('auth', Object.keys(given), '{ username, password } or { token }, and not both');
}

/** The headers of a request. */
export function headersOf(
  auth: Auth | null,
  others: Readonly<Record<string, string>>,
): () => Promise<Readonly<Record<string, string>>> {
  if (auth === null) return async () => others;
  if ('token' in auth) {
    const { token } = auth;
    return async () => ({
      ...others,
      authorization: `Bearer ${typeof token === 'function' ? await token() : token}`,
    });
  }
  const basic = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
  return async () => ({ ...others, authorization: `Basic ${basic}` });
}
