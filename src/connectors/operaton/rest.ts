import { plainAuthorization } from '../http/auth.ts';
import { Rest, type RestOptions } from '../http/rest.ts';
import { operatonDialect } from './dialect.ts';
import type { Checked } from './options.ts';

/** A client of the engine's REST API. */
export function restOf(
  {
    url,
    auth,
    headers,
    requestTimeoutMs,
    tls,
  }: Pick<Checked, 'url' | 'auth' | 'headers' | 'requestTimeoutMs' | 'tls'>,
  given: Pick<RestOptions, 'socketsMax' | 'onAuthorization'>,
): Rest {
  const authorization = plainAuthorization(auth);
  return new Rest({ url, dialect: operatonDialect, authorization, headers, requestTimeoutMs, tls, ...given });
}
