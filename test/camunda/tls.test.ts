/** A cluster behind TLS that asks for a client certificate, by options and by the names of Camunda's SDK. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { defineTask } from '../../src/index.ts';
import { Authority, type Certificate } from '../certificates.ts';
import { LONGSHORE, Sandbox } from '../cli/longshore.ts';
import { tlsBefore } from '../tls-proxy.ts';
import type { Simulator, SimulatorOptions } from './simulator/server.ts';
import { begin, completions, simulatorFor, started } from './stage.ts';

interface Guarded {
  readonly simulator: Simulator;
  readonly authority: Authority;
  /** Of the simulator, through TLS. */
  readonly url: string;
  readonly client: Certificate;
}

async function guarded(t: TestContext, options: SimulatorOptions = {}): Promise<Guarded> {
  const simulator = await simulatorFor(t, options);
  const authority = new Authority(t);
  const { cert, key } = authority.issue();
  const asks = { requestCert: true, rejectUnauthorized: true };
  const url = await tlsBefore(t, simulator.url, { cert, key, ca: authority.ca, ...asks });
  return { simulator, authority, url, client: authority.issue('client') };
}

/** Resolves to the first warning about polls that goes on. */
function warning() {
  const { promise, resolve } = Promise.withResolvers<string>();
  const quiet = (): void => undefined;
  const warn = (_facts: object, text: string): void => {
    if (text.startsWith('Asking for jobs fails, and is tried again')) resolve(text);
  };
  return { promise, logger: { error: warn, warn, info: quiet, debug: quiet } };
}

describe('a cluster behind TLS', { timeout: 120_000 }, () => {
  test('lets a worker in by its certificate: polls, locks, completions and access tokens', async (t) => {
    const { simulator, authority, url, client } = await guarded(t, { authorization: 'Bearer token' });
    const { promise: extended, resolve } = Promise.withResolvers<void>();
    const long = defineTask({ name: 'long', run: () => extended });
    const { cert, key } = client;
    const auth = { clientId: 'me', clientSecret: 'secret', tokenUrl: `${url}/oauth/token` };
    const options = { tls: { ca: authority.ca, cert, key }, auth, lockMs: 900 };
    const worker = await started(t, { url }, { long }, options);
    begin(simulator, [{ type: 'long' }]);
    await simulator.called(({ method }) => method === 'PATCH');
    resolve();
    await completions(simulator, 1);
    await worker.stop();
    assert.deepEqual([worker.counts.completed, worker.health().ok], [1, true]);
  });

  for (const inline of [false, true])
    test(`is found by ${inline ? 'texts' : 'files'} of the environment`, async (t) => {
      const { simulator, authority, url, client } = await guarded(t);
      const sandbox = new Sandbox(t);
      sandbox.write(
        'tasks/quick.ts',
        `import { defineTask } from '${LONGSHORE}';
export const quick = defineTask({ name: 'quick', run: () => null });`,
      );
      begin(simulator, [{ type: 'quick' }]);
      const names = inline
        ? { CAMUNDA_MTLS_CA: authority.ca, CAMUNDA_MTLS_CERT: client.cert, CAMUNDA_MTLS_KEY: client.key }
        : {
            CAMUNDA_MTLS_CA_PATH: authority.caFile,
            CAMUNDA_MTLS_CERT_PATH: client.certFile,
            CAMUNDA_MTLS_KEY_PATH: client.keyFile,
          };
      const worker = sandbox.start(['camunda', 'work', '--tasks', 'tasks', '--poll', '200ms'], {
        CAMUNDA_REST_ADDRESS: url,
        ...names,
      });
      await completions(simulator, 1);
      const ended = once(worker, 'close');
      worker.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    });

  for (const [what, tls, said] of [
    ['no certificate', ({ authority: { ca } }: Guarded) => ({ ca }), /cannot be reached: .*certificate/],
    ['no authority', () => ({}), /cannot be reached: .* give its authority as `tls` or CAMUNDA_MTLS_CA_PATH/],
    [
      'a certificate of somebody else',
      ({ authority }: Guarded, t: TestContext) => {
        const { cert, key } = new Authority(t).issue('stranger');
        return { ca: authority.ca, cert, key };
      },
      /cannot be reached: .*certificate/,
    ],
  ] as const)
    test(`says what is wrong with ${what}, and keeps trying`, async (t) => {
      const stage = await guarded(t);
      const { promise, logger } = warning();
      const quick = defineTask({ name: 'quick', run: () => null });
      const worker = await started(t, stage, { quick }, { tls: tls(stage, t), logger });
      assert.match(await promise, said);
      assert.equal(worker.health().ok, false);
    });
});
