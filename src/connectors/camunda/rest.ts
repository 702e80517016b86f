import { Rest, type RestOptions } from '../http/rest.ts';
import { authorizationOf } from './auth.ts';
import { camundaDialect } from './dialect.ts';
import type { Checked } from './options.ts';

/** A client of the cluster's REST API. */
export function restOf(
  { url, auth, headers, requestTimeoutMs, tls }: Checked,
  given: Pick<RestOptions, 'socketsMax' | 'onAuthorization'>,
): Rest {
  const authorization = authorizationOf(auth, tls);
  return new Rest({ url, dialect: camundaDialect, authorization, headers, requestTimeoutMs, tls, ...given });
}
