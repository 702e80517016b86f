import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { Auth, OperatonOptions } from '../../../src/connectors/operaton/index.ts';
import { defineTask } from '../../../src/index.ts';
import { TcpProxy } from '../../proxy.ts';
import { engineFor } from './server.ts';
import { workerFor } from './started.ts';
import { until } from './until.ts';

const task = defineTask({ name: 'nothing', run: () => null });

describe('a worker whose engine does not serve', { timeout: 300_000 }, () => {
  test('an engine that is away is told of at once, and worked for once it is there', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const proxy = await TcpProxy.start(t, engine.url);
    proxy.admits = 'none';
    const { said, logger } = listener();
    const url = proxy.through(engine.url);
    const worker = workerFor(t, { url, logger, topics: { [process.topic]: task } });
    await worker.start();
    await until(async () => said.length === 1);
    assert.match(
      said[0] ?? '',
      /^warn Operaton at http:\S+\/engine-rest cannot be reached: .* The worker keeps trying\.$/,
    );
    assert.equal(worker.health().ok, false);
    assert.equal(worker.health().trouble?.code, 'ENGINE_UNAVAILABLE');
    proxy.admits = 'all';
    await process.start();
    await until(async () => (await process.ended('end')) === 1);
    assert.match(said[1] ?? '', /^info Operaton answers again, after /);
    assert.equal(worker.health().ok, true);
    assert.match(worker.health().engine ?? '', /^Operaton 1\./);
  });

  test('ends that the engine cannot take are told until it does, while it is away', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const process = await engine.deploy(t);
    const proxy = await TcpProxy.start(t, engine.url);
    const cutOff = defineTask({
      name: 'cut-off',
      run: () => {
        proxy.admits = 'none';
        proxy.cut();
        return { done: true };
      },
    });
    const { said, logger } = listener();
    const worker = workerFor(t, {
      url: proxy.through(engine.url),
      logger,
      topics: { [process.topic]: cutOff },
    });
    await worker.start();
    await process.start();
    await until(async () => said.some((text) => text.startsWith('warn')));
    proxy.admits = 'all';
    await until(async () => (await process.ended('end')) === 1);
    await until(async () => worker.tally.completed + worker.tally.unconfirmed === 1);
  });

  for (const { what, answer, code, says } of [
    {
      what: 'a page of somebody else',
      answer: html(404),
      code: 'ENGINE_UNAVAILABLE',
      says: /answers \/version with 404\. .*check the address: it ends in \/engine-rest/,
    },
    {
      what: 'another program',
      answer: json(200, { hello: 'world' }),
      code: 'ENGINE_UNSUPPORTED',
      says: /says that its version is undefined; expected Operaton 1 or later, or Camunda 7\.9 or later\. Check the address/,
    },
    {
      what: 'an old engine',
      answer: json(200, { version: '7.5.0' }),
      code: 'ENGINE_UNSUPPORTED',
      says: /its version is "7\.5\.0"; expected Operaton 1 or later/,
    },
    {
      what: 'Camunda 8',
      answer: json(200, { version: '8.7.0' }),
      code: 'ENGINE_UNSUPPORTED',
      says: /Camunda 8 has jobs instead of external tasks/,
    },
    {
      what: 'a door',
      answer: json(401, { type: 'AuthenticationException', message: 'who are you' }),
      code: 'ENGINE_REFUSED',
      says: /answers \/version with 401, "who are you"\. Check `auth`/,
    },
  ]) {
    test(`${what} at the address is told of with what to do`, async (t) => {
      const url = await serve(t, answer);
      const { said, logger } = listener();
      const worker = workerFor(t, { url, logger, topics: { any: task } });
      await worker.start();
      await until(async () => said.length > 0);
      assert.match(said[0] ?? '', says);
      assert.equal(worker.health().trouble?.code, code);
    });
  }

  test('a name and password, or a token that changes, go with each request', async (t) => {
    const asked: (string | undefined)[] = [];
    const url = await serve(t, (request, response) => {
      asked.push(request.headers.authorization);
      json(200, request.url?.endsWith('/version') ? { version: '1.0.3' } : [])(request, response);
    });
    const auths: Auth[] = [
      { username: 'ana', password: 'geheim:ü' },
      { token: 'fixed' },
      { token: async () => `token-${asked.length}` },
    ];
    for (const auth of auths) {
      const before = asked.length;
      const worker = workerFor(t, { url, auth, pollMs: 0, topics: { any: task } });
      await worker.start();
      await until(async () => asked.length >= before + 3);
      await worker.stop();
      const [first, second] = asked.slice(before);
      if ('username' in auth) assert.equal(first, `Basic ${Buffer.from('ana:geheim:ü').toString('base64')}`);
      else if (auth.token === 'fixed') assert.deepEqual([first, second], ['Bearer fixed', 'Bearer fixed']);
      else assert.match(`${first} ${second}`, /^Bearer token-(\d+) Bearer token-(?!\1 )\d+$/);
    }
  });

  test('only tasks of the tenants that are named are fetched', async (t) => {
    const engine = await engineFor(t);
    if (engine === undefined) return;
    const mine = await engine.deploy(t, { tenantId: 'mine' });
    const theirs = await engine.deploy(t, { tenantId: 'theirs' });
    await theirs.start();
    const topics = { [mine.topic]: task, [theirs.topic]: task };
    const worker = workerFor(t, { url: engine.url, tenantIds: ['mine'], topics });
    await worker.start();
    await mine.start();
    await until(async () => (await mine.ended('end')) === 1);
    assert.equal((await theirs.tasks())[0]?.workerId, null);
    await until(async () => worker.tally.completed === 1);
  });
});

function listener(): { said: string[]; logger: NonNullable<OperatonOptions['logger']> } {
  const said: string[] = [];
  const say = (level: string) => (_facts: object, text: string) => {
    if (!text.startsWith('worker ')) said.push(`${level} ${text}`);
  };
  const quiet = (): void => undefined;
  return { said, logger: { error: say('error'), warn: say('warn'), info: say('info'), debug: quiet } };
}

function json(status: number, body: unknown): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

function html(status: number): RequestListener {
  return (_request: IncomingMessage, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Not here</h1>');
  };
}

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    // Read to its end, so that the connection can be used again.
    request.resume().once('end', () => answer(request, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/engine-rest`;
}
