import { LongshoreError, show } from '../../core/errors.ts';
import type { Rest } from '../http/rest.ts';

/** Of Camunda 7, since fetches wait at the engine. */
const CAMUNDA_7_MINOR_MIN = 9;

/** What serves the API, as `Operaton 1.0.3`. Throws ENGINE_UNAVAILABLE, ENGINE_REFUSED, ENGINE_UNSUPPORTED. */
export async function versionOf(rest: Rest, signal: AbortSignal): Promise<string> {
  const answer = await rest.call('GET', '/version', { signal });
  const version = (answer as { version?: unknown } | null)?.version;
  const [, major = '', minor = ''] = /^(\d+)\.(\d+)/.exec(String(version)) ?? [];
  if (major === '7' && Number(minor) >= CAMUNDA_7_MINOR_MIN) return `Camunda ${version}`;
  if (['1', '2'].includes(major)) return `Operaton ${version}`;
  throw unsupported(rest, version, major);
}

function unsupported(rest: Rest, version: unknown, major: string): LongshoreError {
  const remedy =
    major === '8'
      ? 'Camunda 8 has jobs instead of external tasks.'
      : 'Check the address: it is that of the REST API, such as http://localhost:8080/engine-rest.';
  return new LongshoreError(
    'ENGINE_UNSUPPORTED',
    `${rest.address} says that its version is ${show(version)}; expected Operaton 1 or later, or Camunda 7.${CAMUNDA_7_MINOR_MIN} or later. ${remedy}`,
    { details: { url: rest.address, version: typeof version === 'string' ? version : null } },
  );
}
