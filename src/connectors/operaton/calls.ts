import { LongshoreError } from '../../core/errors.ts';
import { headersOf } from './auth.ts';
import { withEnvironment } from './environment.ts';
import { refusalOf, refused, unreachable } from './faults.ts';
import { type OperatonOptions, requireUrl } from './options.ts';
import { type CallOptions, Rest } from './rest.ts';

/** An engine's REST API for programs that start processes rather than work for them. */
export interface Calls {
  /** Of the API. */
  readonly address: string;
  /** The answer's body. Throws ENGINE_UNAVAILABLE, ENGINE_REFUSED. */
  call(path: string, options?: CallOptions): Promise<unknown>;
  /** A model that the engine has already is not deployed again. Throws as `call`. */
  deploy(name: string, bpmn: string): Promise<void>;
  close(): void;
}

/** What is not given comes from OPERATON_* variables. Throws OPTION_INVALID. */
export function callsTo(given: Pick<OperatonOptions, 'url' | 'auth'>): Calls {
  const { url: text, auth = null } = withEnvironment({ ...given, topics: {} }, process.env);
  const url = requireUrl(text);
  const headers = headersOf(auth, {});
  const rest = new Rest({
    url,
    headers,
    onHeaders: () => undefined,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    socketsMax: SOCKETS_MAX,
  });
  return {
    address: rest.address,
    call: (path, options) => rest.call(path, options),
    deploy: async (name, bpmn) => deploy(rest.address, name, bpmn, await headers()),
    close: () => rest.close(),
  };
}

const REQUEST_TIMEOUT_MS = 30_000;
const SOCKETS_MAX = 64;

/** A form with a file, which `fetch` writes. */
async function deploy(
  address: string,
  name: string,
  bpmn: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const form = new FormData();
  form.set('deployment-name', name);
  form.set('enable-duplicate-filtering', 'true');
  form.set(`${name}.bpmn`, new File([bpmn], `${name}.bpmn`));
  try {
    const response = await fetch(`${address}/deployment/create`, { method: 'POST', body: form, headers });
    if (response.ok) return void (await response.body?.cancel());
    const body: unknown = await response.json().catch(() => null);
    throw refused(address, '/deployment/create', refusalOf(response.status, body));
  } catch (error) {
    if (error instanceof LongshoreError) throw error;
    throw unreachable(address, (error as Error).cause ?? error);
  }
}
