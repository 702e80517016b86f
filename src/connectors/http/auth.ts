import { optionInvalid } from '../../core/errors.ts';
import { isPlainObject } from '../../core/options.ts';

/** Who the worker is at the engine. A `token` that is a function is asked for before each request: keep it where it is cheap to read. */
export type PlainAuth =
  | { readonly username: string; readonly password: string }
  | { readonly token: string | (() => string | Promise<string>) };

/** Throws OPTION_INVALID. Secrets are never shown. */
export function requirePlainAuth(
  auth: unknown,
  expected = '{ username, password } or { token }, and not both',
): PlainAuth {
  const given = isPlainObject(auth) ? auth : {};
  const { username, password, token } = given;
  const names = Object.keys(given).sort().join();
  if (names === 'password,username' && typeof username === 'string' && typeof password === 'string')
    return given as PlainAuth;
  if (names === 'token' && ((typeof token === 'string' && token !== '') || typeof token === 'function'))
    return given as PlainAuth;
  throw optionInvalid('auth', isPlainObject(auth) ? `{ ${Object.keys(auth).join(', ')} }` : auth, expected);
}

/** The header that a request needs, and what to do when the engine does not take it. */
export interface Authorization {
  /** Null: none. Rejects with ENGINE_REFUSED, ENGINE_UNAVAILABLE. */
  header(): Promise<string | null>;
  /** The engine answered 401. Returns whether another header is worth a try. */
  renew(): boolean;
}

export function plainAuthorization(auth: PlainAuth | null): Authorization {
  const always = (header: () => Promise<string | null>): Authorization => ({ header, renew: () => false });
  if (auth === null) return always(async () => null);
  if ('token' in auth) {
    const { token } = auth;
    return always(async () => `Bearer ${typeof token === 'function' ? await token() : token}`);
  }
  const basic = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  return always(async () => basic);
}
