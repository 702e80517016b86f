/** A cluster that refuses, hangs up or is away. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { authorizationOf } from '../../src/connectors/camunda/auth.ts';
import { defineTask } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { Problem } from './simulator/problem.ts';
import { Simulator } from './simulator/server.ts';
import { begin, completions, simulatorFor, started } from './stage.ts';

const isPoll = ({ path }: { path: string }): boolean => path === '/v2/jobs/activation';
const isCompletion = ({ path }: { path: string }): boolean => path.endsWith('/completion');
const quick = defineTask({ name: 'quick', run: () => null });

/** The warnings that a worker writes. */
function listener() {
  const lines: string[] = [];
  const say = (_facts: object, text: string): void => void lines.push(text);
  return { lines, logger: { error: say, warn: say, info: say, debug: () => undefined } };
}

describe('a worker whose cluster is in trouble', { timeout: 60_000 }, () => {
  for (const [status, title] of [
    [429, 'TOO_MANY_REQUESTS'],
    [503, 'RESOURCE_EXHAUSTED'],
    [500, 'RESOURCE_EXHAUSTED'],
  ] as const)
    test(`asks later and for fewer after backpressure (${status} ${title}), and completes all the same`, async (t) => {
      const simulator = await simulatorFor(t);
      let refusals = 0;
      simulator.trouble = (call) => {
        if (!isPoll(call) || refusals === 3) return null;
        refusals += 1;
        return new Problem(status, title, 'too much to do');
      };
      const { lines, logger } = listener();
      const worker = await started(t, simulator, { quick }, { concurrency: 8, logger });
      begin(simulator, [{ type: 'quick' }], Array(20).fill({}));
      await completions(simulator, 20);
      const asked = simulator.calls
        .filter(isPoll)
        .map(({ body }) => (body as { maxJobsToActivate: number }).maxJobsToActivate);
      assert.deepEqual(asked.slice(0, 4), [8, 4, 2, 1]);
      assert.ok(Math.max(...asked.slice(4)) > 1);
      assert.match(lines.join('\n'), new RegExp(`Asking for jobs fails, and is tried again: .*${status}`));
      assert.match(lines.join('\n'), /Asking for jobs works again/);
      await worker.stop();
      assert.equal(worker.counts.completed, 20);
    });

  test('does not hold completions up while polls are refused', async (t) => {
    const simulator = await simulatorFor(t);
    const worker = await started(t, simulator, { quick }, { concurrency: 2 });
    simulator.trouble = (call) =>
      isPoll(call) && simulator.engine.counts.activations > 0 ? new Problem(429, 'TOO_MANY', 'later') : null;
    begin(simulator, [{ type: 'quick' }], [{}, {}]);
    await simulator.called(isCompletion, 2);
    await worker.stop();
    assert.equal(worker.counts.completed, 2);
  });

  test('tells an outcome again until it is answered, and says when it cannot know', async (t) => {
    const simulator = await simulatorFor(t);
    const troubles: ('hang up' | 'act and hang up' | Problem)[] = [
      'hang up',
      new Problem(503, 'UNAVAILABLE', 'starting'),
      'act and hang up',
    ];
    simulator.trouble = (call) => (isCompletion(call) ? (troubles.shift() ?? null) : null);
    const worker = await started(t, simulator, { quick });
    begin(simulator, [{ type: 'quick' }]);
    await completions(simulator, 4);
    await worker.stop();
    assert.equal(simulator.engine.counts.completions, 1);
    const { completed, stale, unclear } = worker.counts;
    assert.deepEqual([completed, stale, unclear], [0, 1, 1]);
  });

  test('says at once that it cannot connect, keeps trying, and works when the cluster is there', async (t) => {
    const first = await new Simulator().listen();
    const port = Number(new URL(first.url).port);
    await first.close();
    const { lines, logger } = listener();
    const { promise: told, resolve } = Promise.withResolvers<void>();
    const warn = (facts: object, text: string): void => {
      logger.warn(facts, text);
      resolve();
    };
    const worker = await started(
      t,
      { url: `http://127.0.0.1:${port}` },
      { quick },
      { logger: { ...logger, warn } },
    );
    await told;
    assert.match(
      lines.join('\n'),
      /cannot be reached: .*ECONNREFUSED.* Nothing listens there: check host and port/,
    );
    assert.equal(worker.health().ok, false);
    const second = new Simulator();
    await second.listen(port);
    t.after(() => second.close());
    begin(second, [{ type: 'quick' }]);
    await completions(second, 1);
    await worker.stop();
    assert.deepEqual([worker.health().ok, worker.counts.pollsLost], [true, 0]);
  });

  test('says what is wrong with an address that is no cluster, and with credentials', async (t) => {
    const simulator = await simulatorFor(t, { authorization: 'Basic YTpi' });
    const heard = async (url: string, options: object): Promise<string> => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const logger = { ...listener().logger, warn: (_facts: object, text: string) => resolve(text) };
      const worker = await started(t, { url }, { quick }, { ...options, logger });
      const text = await promise;
      await worker.stop({ graceMs: 0 });
      return text;
    };
    assert.match(
      await heard(simulator.url, {}),
      /answers POST \/jobs\/activation with 401 .*Check `auth` or CAMUNDA_AUTH_STRATEGY/,
    );
    assert.match(
      await heard(`${simulator.url}/elsewhere`, { auth: { username: 'a', password: 'b' } }),
      /with 404 .*Check CAMUNDA_REST_ADDRESS/,
    );
    const tokenUrl = `${simulator.url}/oauth/token`;
    const credentials = { clientId: 'me', clientSecret: 'wrong', tokenUrl };
    assert.match(
      await heard(simulator.url, { auth: credentials }),
      /token endpoint .* answers 401 for client 'me'.*Check the client id/,
    );
  });

  for (const [name, authorization, auth] of [
    ['basic', 'Basic YTpi', () => ({ username: 'a', password: 'b' })],
    ['bearer', 'Bearer abc', () => ({ token: async () => 'abc' })],
    [
      'OAuth',
      'Bearer token',
      (url: string) => ({ clientId: 'me', clientSecret: 'secret', tokenUrl: `${url}/oauth/token` }),
    ],
  ] as const)
    test(`is let in with ${name} credentials, for locks as well`, async (t) => {
      const simulator = await simulatorFor(t, { authorization });
      const { promise: extended, resolve } = Promise.withResolvers<void>();
      const long = defineTask({ name: 'long', run: () => extended });
      const worker = await started(t, simulator, { long }, { auth: auth(simulator.url), lockMs: 900 });
      begin(simulator, [{ type: 'long' }]);
      await simulator.called(({ method }) => method === 'PATCH');
      resolve();
      await completions(simulator, 1);
      await worker.stop();
      assert.equal(worker.health().lock, null);
      assert.ok(simulator.tokens <= 1);
    });

  test('keeps its jobs while a proxy answers 404 in place of the cluster', async (t) => {
    const simulator = await simulatorFor(t);
    const { promise: extended, resolve } = Promise.withResolvers<void>();
    const long = defineTask({ name: 'long', run: () => extended });
    let pages = 0;
    const isExtension = ({ method }: { method: string }): boolean => method === 'PATCH';
    simulator.trouble = (call) => {
      if (!isExtension(call) || pages === 1) return null;
      pages += 1;
      return 'page of a proxy';
    };
    const worker = await started(t, simulator, { long }, { lockMs: 6_000 });
    begin(simulator, [{ type: 'long' }]);
    await simulator.called(isExtension, 2);
    resolve();
    await completions(simulator, 1);
    await worker.stop();
    const { completed, locksLost } = worker.counts;
    assert.deepEqual([completed, locksLost], [1, 0]);
  });

  test('extends locks with a new token while its only slot is taken and nothing else is sent', async (t) => {
    let token = 'first';
    const simulator = await simulatorFor(t, { authorization: 'Bearer first' });
    const { promise: extended, resolve } = Promise.withResolvers<void>();
    const long = defineTask({ name: 'long', run: () => extended });
    const worker = await started(
      t,
      simulator,
      { long },
      { auth: { token: () => token }, lockMs: 3_000, concurrency: 1 },
    );
    begin(simulator, [{ type: 'long' }]);
    const isExtension = ({ method }: { method: string }): boolean => method === 'PATCH';
    await simulator.called(isExtension);
    token = 'second';
    simulator.authorization = 'Bearer second';
    const { length: sent } = simulator.calls;
    await simulator.called((call) => isExtension(call) && call.authorization === 'Bearer second');
    assert.ok(simulator.calls.slice(sent).every(isExtension));
    resolve();
    await completions(simulator, 1);
    await worker.stop();
  });

  test('stops the older of two runs of a job whose lock it did not extend in time', async (t) => {
    const simulator = await simulatorFor(t);
    simulator.trouble = ({ method }) => (method === 'PATCH' ? 'page of a proxy' : null);
    let runs = 0;
    const { promise: stopped, resolve } = Promise.withResolvers<string>();
    const long = defineTask({
      name: 'long',
      run: async ({ signal }) => {
        runs += 1;
        if (runs > 1) return stopped;
        await new Promise((aborted) => signal.addEventListener('abort', aborted));
        resolve(signal.reason.code);
        return null;
      },
    });
    const worker = await started(t, simulator, { long }, { lockMs: 2_000, concurrency: 2 });
    begin(simulator, [{ type: 'long' }]);
    assert.equal(await stopped, 'LEASE_LOST');
    await completions(simulator, 1);
    await worker.stop();
    assert.deepEqual([worker.counts.completed, worker.counts.locksLost], [1, 1]);
  });

  test('asks once a second where the gateway answers at once that there are no jobs', async (t) => {
    let polls = 0;
    let heard: () => void = () => undefined;
    const server = createServer((request, response) => {
      if (request.url?.endsWith('/jobs/activation') === true) polls += 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"jobs":[]}');
      heard();
    });
    const url = await listening(t, server);
    const clock = new FakeClock();
    const first = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const worker = await started(t, { url }, { quick }, { clock, pollMs: 5_000 });
    await first;
    for (let turn = 0; turn < 20; turn += 1) await (await fetch(url)).text();
    assert.equal(polls, 1);
    const second = new Promise<void>((resolve) => {
      heard = () => polls === 2 && resolve();
    });
    await clock.advance(1_000);
    await second;
    await worker.stop();
  });

  test('goes on with a token that lives while the identity provider is away', async (t) => {
    let status = 200;
    const server = createServer((_request, response) => {
      response.writeHead(status).end('{"access_token":"abc","expires_in":100}');
    });
    const tokenUrl = await listening(t, server);
    let now = 0;
    const auth = authorizationOf({ clientId: 'me', clientSecret: 's', tokenUrl }, null, () => now);
    assert.equal(await auth.header(), 'Bearer abc');
    status = 503;
    now = 85_000;
    assert.equal(await auth.header(), 'Bearer abc');
    now = 100_000;
    await assert.rejects(auth.header(), { code: 'ENGINE_UNAVAILABLE' });
  });
});

async function listening(t: TestContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
