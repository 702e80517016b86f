/** What the worker takes, from code and environment, and what it says of bad input. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkedOptions } from '../../src/connectors/camunda/options.ts';
import { declareTask, defineTask } from '../../src/index.ts';

const task = defineTask({ name: 'task', run: () => null });
const jobTypes = { task };
const PEM = '-----BEGIN CERTIFICATE-----';

describe('the settings of a worker', () => {
  test('are options over environment over defaults', () => {
    const defaults = checkedOptions({ jobTypes }, {});
    assert.deepEqual(
      [
        defaults.url,
        defaults.pollMs,
        defaults.name,
        defaults.auth,
        defaults.tenantIds,
        defaults.startupJitterMs,
      ],
      ['http://localhost:8080/v2', 5_000, null, null, null, 0],
    );
    assert.deepEqual([defaults.jobTypes.get('task')?.lockMs, defaults.runner], [30_000, {}]);
    const env = {
      CAMUNDA_REST_ADDRESS: 'http://cluster:8088/v2/',
      CAMUNDA_WORKER_TIMEOUT: '60000',
      CAMUNDA_WORKER_MAX_CONCURRENT_JOBS: '7',
      CAMUNDA_WORKER_REQUEST_TIMEOUT: '-1',
      CAMUNDA_WORKER_NAME: 'charger',
      CAMUNDA_WORKER_STARTUP_JITTER_MAX_SECONDS: '2',
      CAMUNDA_DEFAULT_TENANT_ID: 'acme',
      CAMUNDA_SDK_LOG_LEVEL: 'silent',
    };
    const found = checkedOptions({ jobTypes }, env);
    assert.deepEqual(
      [found.url, found.pollMs, found.name, found.tenantIds, found.startupJitterMs, found.runner.concurrency],
      ['http://cluster:8088/v2', -1, 'charger', ['acme'], 2_000, 7],
    );
    assert.equal(found.jobTypes.get('task')?.lockMs, 60_000);
    const given = checkedOptions(
      { jobTypes, url: 'http://other', lockMs: 900, concurrency: 3, pollMs: 50, name: 'me' },
      env,
    );
    assert.deepEqual(
      [given.url, given.jobTypes.get('task')?.lockMs, given.runner.concurrency, given.pollMs, given.name],
      ['http://other/v2', 900, 3, 50, 'me'],
    );
    assert.equal(checkedOptions({ jobTypes }, { ZEEBE_REST_ADDRESS: 'http://old' }).url, 'http://old/v2');
  });

  test('have the credentials that the strategy names', () => {
    const auth = (env: Record<string, string>) => checkedOptions({ jobTypes }, env).auth;
    const basic = { CAMUNDA_BASIC_AUTH_USERNAME: 'a', CAMUNDA_BASIC_AUTH_PASSWORD: 'b' };
    const oauth = { CAMUNDA_CLIENT_ID: 'me', CAMUNDA_CLIENT_SECRET: 's' };
    assert.equal(auth(basic), null);
    assert.deepEqual(auth({ ...basic, CAMUNDA_AUTH_STRATEGY: 'basic' }), { username: 'a', password: 'b' });
    assert.equal(auth(oauth), null);
    const tokenUrl = 'http://login/token';
    assert.deepEqual(auth({ ...oauth, CAMUNDA_OAUTH_URL: tokenUrl }), {
      clientId: 'me',
      clientSecret: 's',
      tokenUrl,
    });
    assert.deepEqual(auth({ ...oauth, CAMUNDA_AUTH_STRATEGY: 'OAUTH', CAMUNDA_TOKEN_AUDIENCE: 'x' }), {
      clientId: 'me',
      clientSecret: 's',
      audience: 'x',
    });
  });

  const declared = declareTask({ name: 'far' });
  for (const [options, env, message] of [
    [{ url: 'cluster:8080' }, {}, /^url is "cluster:8080"; expected the address of the cluster's REST API/],
    [
      { url: 'http://a:b@cluster' },
      {},
      /^url is "http:\/\/cluster\/"; expected an address without a user name/,
    ],
    [{}, { CAMUNDA_REST_ADDRESS: 'nowhere' }, /^CAMUNDA_REST_ADDRESS is "nowhere"/],
    [{ jobTypes: {} }, {}, /^jobTypes is .*expected at least one task/],
    [{ jobTypes: { far: declared } }, {}, /^jobTypes\.far is .*'far'.*expected a task with a handler/],
    [
      { jobTypes: { a: { task, variable: ['x'] } } },
      {},
      /jobTypes\.a has no option "variable"; did you mean "variables"/,
    ],
    [{ lockMs: 100 }, {}, /^lockMs is 100; expected at least 500/],
    [{}, { CAMUNDA_WORKER_TIMEOUT: '100' }, /^CAMUNDA_WORKER_TIMEOUT is 100; expected at least 500/],
    [{}, { CAMUNDA_WORKER_TIMEOUT: '30s' }, /^CAMUNDA_WORKER_TIMEOUT is "30s"; expected a whole number/],
    [
      {},
      { CAMUNDA_WORKER_TIMOUT: '1' },
      /no variable "CAMUNDA_WORKER_TIMOUT"; did you mean "CAMUNDA_WORKER_TIMEOUT"/,
    ],
    [
      {},
      { CAMUNDA_AUTH_STRATEGY: 'MAGIC' },
      /^CAMUNDA_AUTH_STRATEGY is "MAGIC"; expected NONE, OAUTH or BASIC/,
    ],
    [
      {},
      { CAMUNDA_AUTH_STRATEGY: 'OAUTH' },
      /^CAMUNDA_CLIENT_ID is undefined; expected a value, since CAMUNDA_AUTH_STRATEGY is OAUTH/,
    ],
    [
      { auth: { username: 'a', token: 'hidden' } },
      {},
      /^auth is .*username, token.*expected \{ clientId, clientSecret \}/,
    ],
    [{ tls: { ca: 'ca.pem' } }, {}, /^tls\.ca is .*expected the text of a PEM file/],
    [{}, { CAMUNDA_MTLS_CERT: PEM }, /^CAMUNDA_MTLS_\* is "cert"; expected both: `cert` and its `key`/],
    [
      {},
      { CAMUNDA_MTLS_CA_PATH: 'nowhere.pem' },
      /^CAMUNDA_MTLS_CA_PATH is "nowhere\.pem"; expected a file that can be read/,
    ],
    [{ jobType: 'a' }, {}, /camundaWorker has no option "jobType"; did you mean "jobTypes"/],
  ] as const)
    test(`are refused with a remedy: ${Object.keys({ ...options, ...env })}, ${message.source}`, () => {
      assert.throws(
        () => checkedOptions({ jobTypes, ...options } as never, env),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'OPTION_INVALID');
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /hidden/);
          return true;
        },
      );
    });
});
