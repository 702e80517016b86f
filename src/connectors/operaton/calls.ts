import type { CallOptions, Method } from '../http/rest.ts';
import { withEnvironment } from './environment.ts';
import { type OperatonOptions, requireUrl } from './options.ts';
import { restOf } from './rest.ts';

/** An engine's REST API for programs that start processes rather than work for them. */
export interface Calls {
  /** Of the API. */
  readonly address: string;
  /** The answer's body. Throws ENGINE_UNAVAILABLE, ENGINE_REFUSED. */
  call(path: string, options?: CallOptions & { readonly method?: Method }): Promise<unknown>;
  /** A model that the engine has already is not deployed again. Throws as `call`. */
  deploy(name: string, bpmn: string): Promise<void>;
  close(): void;
}

/** What is not given comes from OPERATON_* variables. Throws OPTION_INVALID. */
export function callsTo(given: Pick<OperatonOptions, 'url' | 'auth'>): Calls {
  const { url, auth = null } = withEnvironment({ ...given, topics: {} }, process.env);
  const rest = restOf(
    { url: requireUrl(url), auth, headers: {}, requestTimeoutMs: REQUEST_TIMEOUT_MS, tls: null },
    { socketsMax: SOCKETS_MAX },
  );
  return {
    address: rest.address,
    call: (path, { method = 'POST', ...options } = {}) => rest.call(method, path, options),
    async deploy(name, bpmn) {
      const form = new FormData();
      form.set('deployment-name', name);
      form.set('enable-duplicate-filtering', 'true');
      form.set(`${name}.bpmn`, new File([bpmn], `${name}.bpmn`));
      await rest.call('POST', '/deployment/create', { body: form });
    },
    close: () => rest.close(),
  };
}

const REQUEST_TIMEOUT_MS = 30_000;
const SOCKETS_MAX = 64;
