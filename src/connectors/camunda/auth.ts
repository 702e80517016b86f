import { LongshoreError, optionInvalid, requireName } from '../../core/errors.ts';
import { reasonOf } from '../../core/legible.ts';
import { isPlainObject, knownNames, requireOptions } from '../../core/options.ts';
import type { TlsFiles } from '../../engine/keeper.ts';
import { type Authorization, type PlainAuth, plainAuthorization, requirePlainAuth } from '../http/auth.ts';
import { Sender } from '../http/send.ts';

/** Who the worker is at the engine. */
export type Auth = ClientCredentials | PlainAuth;

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
  if (isPlainObject(auth) && ('clientId' in auth || 'clientSecret' in auth)) return requireCredentials(auth);
  return requirePlainAuth(auth, '{ clientId, clientSecret }, { username, password } or { token }');
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

/** `tls`: of the token endpoint as well. */
export function authorizationOf(auth: Auth | null, tls: TlsFiles | null): Authorization {
  return auth !== null && 'clientId' in auth ? new AccessToken(auth, tls) : plainAuthorization(auth);
}

/** A token is fetched anew after so much of its life: locks are extended with it while a handler holds the event loop. */
const LIFE_SHARE = 0.8;
/** A token that the engine refuses is not fetched anew before it is so old. */
const RENEW_MIN_MS = 5_000;
const TIMEOUT_MS = 10_000;

class AccessToken implements Authorization {
  readonly #credentials: ClientCredentials;
  readonly #tls: TlsFiles | null;
  #token: { readonly text: string; readonly fetchedAt: number; readonly until: number } | null = null;
  #fetching: Promise<string> | null = null;

  constructor(credentials: ClientCredentials, tls: TlsFiles | null) {
    this.#credentials = credentials;
    this.#tls = tls;
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
    const { clientId, tokenUrl = TOKEN_URL } = this.#credentials;
    const { status, text: said } = await this.#ask(tokenUrl);
    const answer = tryParse(said);
    const text = answer?.access_token;
    if (status < 200 || status > 299 || typeof text !== 'string')
      throw refusedToken(tokenUrl, clientId, status, answer);
    const lifeMs = Number(answer?.expires_in ?? 60) * 1_000;
    const now = performance.now();
    this.#token = { text, fetchedAt: now, until: now + lifeMs * LIFE_SHARE };
    return text;
  }

  /** It is asked so seldom that no connection is kept. */
  async #ask(tokenUrl: string): Promise<{ readonly status: number; readonly text: string }> {
    const { clientId, clientSecret, audience = AUDIENCE, scope } = this.#credentials;
    const payload = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      audience,
      ...(scope === undefined ? {} : { scope }),
    }).toString();
    const headers = {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(payload),
    };
    const sender = new Sender(1, this.#tls);
    try {
      const url = new URL(tokenUrl);
      return await sender.send({ url, method: 'POST', headers, payload, timeoutMs: TIMEOUT_MS });
    } catch (cause) {
      throw new LongshoreError(
        'ENGINE_UNAVAILABLE',
        `The token endpoint ${tokenUrl} cannot be reached: ${reasonOf(cause)}. Check its address.`,
        { cause, details: { tokenUrl } },
      );
    } finally {
      sender.close();
    }
  }
}

function tryParse(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return null;
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
