import { type Dialect, type Meaning, type Refusal, remediesOf } from '../http/dialect.ts';

/** What Camunda's answers mean: problem documents, or what a proxy said. */
export const camundaDialect: Dialect = {
  engine: 'Camunda',
  ...remediesOf('cluster', { url: 'CAMUNDA_REST_ADDRESS', tls: '`tls` or CAMUNDA_MTLS_CA_PATH …' }),
  wordsOf: ({ title, detail }) => ({ title, detail }),
  meaningOf,
  quoted({ title, detail }) {
    const said = [title, detail].filter((part) => part !== '').join(', ');
    return said === '' ? '' : ` (${said.slice(0, 500)})`;
  },
  advice: {
    busy: 'It has too much to do or is starting; it is asked again.',
    gone: 'The job is completed or cancelled, or its lock was lost.',
    unauthorized:
      'Check `auth` or CAMUNDA_AUTH_STRATEGY with its credentials, and what that client may do in the cluster.',
    refused:
      'Check CAMUNDA_REST_ADDRESS: it is that of the REST API, without or with /v2. The words are those of the cluster.',
  },
  parse: (text) => JSON.parse(text),
};

function meaningOf({ status, title, detail }: Refusal): Meaning {
  if (status === 401 || status === 403) return 'unauthorized';
  if (isBackpressure({ status, title })) return 'busy';
  // Without the engine's words it is a wrong path, or the page of a proxy.
  if (status === 404) return title === '' && detail === '' ? 'refused' : 'gone';
  if (status === 409) return 'gone';
  return status >= 500 ? 'busy' : 'refused';
}

/** The engine has too much to do and says so. */
export function isBackpressure({ status, title }: Pick<Refusal, 'status' | 'title'>): boolean {
  return status === 429 || status === 503 || title.includes('RESOURCE_EXHAUSTED');
}
