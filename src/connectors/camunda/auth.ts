import { LongshoreError, optionInvalid, requireName } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import { isPlainObject, knownNames, requireOptions } from '../../core/options.ts';

/** Who the worker is at the engine. A `token` that is a function is asked for before each request: keep it where it is cheap to read. */
export type Auth =
  | ClientCredentials
  | { readonly username: string; readonly password: string }
  | { readonly token: string | (() => string | Promise<string>) };

/** OAuth 2.0 client credentials. The access token is fetched when it is needed, and again after four fifths of its life. */
export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where tokens are fetched; default: that of Camunda's SaaS. */
  readonly tokenUrl?: string;
  /** Default `zeebe.camunda.io`. */
  readonly audience?: string;
  readonly scope?: string;
}

const CREDENTIALS = knownNames<ClientCredentials>({
  clientId: true,
  clientSecret: true,
  tokenUrl: true,
  audience: true,
  scope: true,
});

const TOKEN_URL = 'https://login.cloud.camunda.io/oauth/token';
const AUDIENCE = 'zeebe.camunda.io';

/** Throws OPTION_INVALID. Secrets are never shown. */
export function requireAuth(auth: unknown): Auth {
  const given = isPlainObject(auth) ? auth : {};
  if ('clientId' in given || 'clientSecret' in given) return requireCredentials(given);
  const names = Object.keys(given).sort().join();
  if (
    names === 'password,username' &&
    typeof given.username === 'string' &&
    typeof given.password === 'string'
  )
    return given as Auth;
  const { token } = given;
  if (names === 'token' && ((typeof token === 'string' && token !== '') || typeof token === 'function'))
    return given as Auth;
  const expected = '{ clientId, clientSecret }, { username, password } or { token }';
  throw optionInvalid('auth', isPlainObject(auth) ? `{ ${Object.keys(auth).join(', ')} }` : auth, expected);
}

function requireCredentials(given: Readonly<Record<string, unknown>>): Auth {
  requireOptions('auth', given, CREDENTIALS);
  for (const name of ['clientId', 'clientSecret'] as const)
    if (typeof given[name] !== 'string' || given[name] === '')
      throw optionInvalid(`auth.${name}`, typeof given[name], 'a text that is not empty');
  const { tokenUrl } = given as { tokenUrl?: unknown };
  if (tokenUrl !== undefined && !URL.canParse(requireName('auth.tokenUrl', tokenUrl, 2_000)))
    throw optionInvalid(
      'auth.tokenUrl',
      tokenUrl,
      'the address of the token endpoint of your identity provider',
    );
  return given as unknown as ClientCredentials;
}

/** The header that a request needs, and what to do when the engine does not take it. */
export interface Authorization {
  /** Null: none. Rejects with ENGINE_REFUSED, ENGINE_UNAVAILABLE. */
  header(): Promise<string | null>;
  /** The engine answered 401. Returns whether another header is worth a try. */
  renew(): boolean;
}

export function authorizationOf(auth: Auth | null): Authorization {
  if (auth === null) return { header: async () => null, renew: () => false };
  if ('clientId' in auth) return new AccessToken(auth);
  if ('token' in auth) {
    const { token } = auth;
    return {
      header: async () => `Bearer ${typeof token === 'function' ? await token() : token}`,
      renew: () => false,
    };
  }
  const basic = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  return { header: async () => basic, renew: () => false };
}

/** A token is fetched anew after so much of its life: locks are extended with it while a handler holds the event loop. */
const LIFE_SHARE = 0.8;
/** A token that the engine refuses is not fetched anew before it is so old. */
const RENEW_MIN_MS = 5_000;
const TIMEOUT_MS = 10_000;

class AccessToken implements Authorization {
  readonly #credentials: ClientCredentials;
  #token: { readonly text: string; readonly fetchedAt: number; readonly until: number } | null = null;
  #fetching: Promise<string> | null = null;

  constructor(credentials: ClientCredentials) {
    this.#credentials = credentials;
  }

  async header(): Promise<string> {
    if (this.#token !== null && performance.now() < this.#token.until) return `Bearer ${this.#token.text}`;
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return `Bearer ${await this.#fetching}`;
  }

  renew(): boolean {
    if (this.#token === null || performance.now() - this.#token.fetchedAt < RENEW_MIN_MS) return false;
    this.#token = null;
    return true;
  }

  async #fetch(): Promise<string> {
    const { clientId, clientSecret, tokenUrl = TOKEN_URL, audience = AUDIENCE, scope } = this.#credentials;
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      audience,
      ...(scope === undefined ? {} : { scope }),
    });
    const response = await fetch(tokenUrl, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw new LongshoreError(
        'ENGINE_UNAVAILABLE',
        `The token endpoint ${tokenUrl} cannot be reached: ${reasonOf((cause as Error).cause ?? cause)}. Check its address.`,
        { cause, details: { tokenUrl } },
      );
    });
    const answer = (await response.json().catch(() => null)) as Record<string, unknown> | null;
    const text = answer?.access_token;
    if (!response.ok || typeof text !== 'string')
      throw refusedToken(tokenUrl, clientId, response.status, answer);
    const lifeMs = Number(answer?.expires_in ?? 60) * 1_000;
    const now = performance.now();
    this.#token = { text, fetchedAt: now, until: now + lifeMs * LIFE_SHARE };
    return text;
  }
}

function refusedToken(
  tokenUrl: string,
  clientId: string,
  status: number,
  answer: Record<string, unknown> | null,
): LongshoreError {
  const said = String(answer?.error_description ?? answer?.error ?? '').slice(0, 200);
  const isOutage = status === 429 || status >= 500;
  return new LongshoreError(
    isOutage ? 'ENGINE_UNAVAILABLE' : 'ENGINE_REFUSED',
    `The token endpoint ${tokenUrl} answers ${status} for client '${clientId}'${said === '' ? '' : `: ${said}`}. ` +
      'Check the client id, its secret and the audience.',
    { details: { tokenUrl, clientId, status } },
  );
}
