import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { Topic } from '../../../src/store/notifier.ts';
import { channelOf, payloadOf, readPayload } from '../../../src/store/postgres/hints.ts';
import { PostgresNotifier } from '../../../src/store/postgres/notifier.ts';
import { type Place, placeOf } from '../../../src/store/postgres/url.ts';
import { Ground } from './ground.ts';

test('payloads are read as they were written, and nonsense as no topics', () => {
  assert.deepEqual(readPayload(payloadOf('me', ['ready', 'settled'])), {
    instance: 'me',
    topics: ['ready', 'settled'],
  });
  assert.deepEqual(readPayload(':ready'), { instance: '', topics: ['ready'] });
  for (const payload of ['', 'ready', 'me:', 'me:other'])
    assert.deepEqual(readPayload(payload).topics, payload === 'ready' ? ['ready'] : []);
});

test('each schema has a channel of its own, short enough to be one', () => {
  const schemas = ['longshore', 'Longshore', 'a"b', 's'.repeat(63), `${'s'.repeat(62)}t`];
  const channels = schemas.map(channelOf);
  assert.equal(new Set(channels).size, schemas.length);
  for (const channel of channels) assert.match(channel, /^[a-z0-9_]{1,63}$/);
});

/** What a listener hears, to be waited for. */
class Ear {
  readonly heard: Topic[] = [];
  #waiting: { readonly topic: Topic; readonly resolve: () => void }[] = [];

  constructor(notifier: PostgresNotifier, topics: readonly Topic[] = ['ready', 'control', 'settled']) {
    for (const topic of topics) notifier.subscribe(topic, () => this.#hear(topic));
  }

  next(topic: Topic): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ topic, resolve }));
  }

  #hear(topic: Topic): void {
    this.heard.push(topic);
    for (const waiting of this.#waiting) if (waiting.topic === topic) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => waiting.topic !== topic);
  }
}

function listening(
  ground: Ground,
  options: { place?: Place; checkMs?: number; checkMaxMs?: number } = {},
): PostgresNotifier {
  const notifier = new PostgresNotifier({ place: ground.place, instance: 'me', listens: true, ...options });
  ground.finally(() => notifier.close());
  return notifier;
}

/** Of the server's process that listens. */
async function listener(ground: Ground): Promise<number | undefined> {
  const rows = await ground.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE query = $1', [
    `LISTEN "${channelOf(ground.schema)}"`,
  ]);
  return rows[0]?.pid;
}

async function notify(ground: Ground, payload: string): Promise<void> {
  await ground.query('SELECT pg_notify($1, $2)', [channelOf(ground.schema), payload]);
}

test('what may have been missed is hinted once it listens, then those of others, and never its own', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const notifier = listening(ground);
  const ear = new Ear(notifier);
  await ear.next('settled');
  assert.deepEqual(ear.heard.splice(0), ['ready', 'control', 'settled']);
  const hint = ear.next('control');
  await notify(ground, payloadOf('me', ['ready']));
  await notify(ground, payloadOf('another', ['settled']));
  await notify(ground, payloadOf('', ['control']));
  await hint;
  assert.deepEqual(ear.heard, ['settled', 'control']);
  notifier.publish(['ready']);
  assert.deepEqual(ear.heard, ['settled', 'control', 'ready']);
});

test('it connects with the first listener, and the last one takes the connection away', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const notifier = listening(ground);
  assert.equal(await listener(ground), undefined);
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = notifier.subscribe('ready', resolve);
  assert.equal(notifier.crossProcess, false, 'not before it listens');
  await promise;
  assert.equal(notifier.crossProcess, true);
  assert.notEqual(await listener(ground), undefined);
  stop();
  await notifier.close();
  await eventually(async () => (await listener(ground)) === undefined);
});

test('a connection that breaks is made anew, and all topics are hinted, since some may have been missed', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const notifier = listening(ground);
  const ear = new Ear(notifier);
  await ear.next('settled');
  ear.heard.length = 0;
  const again = ear.next('settled');
  await ground.query('SELECT pg_terminate_backend($1)', [await listener(ground)]);
  await again;
  assert.deepEqual(ear.heard, ['ready', 'control', 'settled']);
  const hint = ear.next('ready');
  await notify(ground, ':ready');
  await hint;
});

test('a connection that is half-open is found out and made anew', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const relay = await Relay.before(ground);
  const place = placeOf(ground.urlWith({ host: '127.0.0.1', port: String(relay.port) }));
  const notifier = listening(ground, { place, checkMs: 20, checkMaxMs: 100 });
  const ear = new Ear(notifier, ['ready']);
  await ear.next('ready');
  const again = ear.next('ready');
  relay.silence();
  await again;
  assert.ok(relay.connections > 1);
});

test('a listener that throws keeps no other from its hint', async (t) => {
  const notifier = new PostgresNotifier({
    place: placeOf('postgres://nobody@%2Fnowhere/x'),
    instance: 'me',
    listens: false,
  });
  const thrown = new Error('on purpose');
  // The runner takes an uncaught exception for a failure of the test.
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  t.after(() => {
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  const heard = Promise.withResolvers<void>();
  process.once('uncaughtException', (error) => {
    assert.equal(error, thrown);
    heard.resolve();
  });
  notifier.subscribe('ready', () => {
    throw thrown;
  });
  let other = 0;
  notifier.subscribe('ready', () => {
    other += 1;
  });
  notifier.publish(['ready']);
  await heard.promise;
  assert.equal(other, 1);
});

test('a process that only listens comes to its end', async (t) => {
  const ground = await Ground.make(t);
  if (ground === undefined) return;
  const module = new URL('../../../src/store/postgres/', import.meta.url).href;
  const program = `
    const { PostgresNotifier } = await import(${JSON.stringify(`${module}notifier.ts`)});
    const { placeOf } = await import(${JSON.stringify(`${module}url.ts`)});
    const notifier = new PostgresNotifier({ place: placeOf(${JSON.stringify(ground.url)}), instance: 'me', listens: true });
    const timer = setTimeout(() => {}, 60_000);
    notifier.subscribe('ready', () => { console.log('listens'); clearTimeout(timer); });`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.deepEqual([stdout.trim(), status], ['listens', 0]);
});

/** Stands before the server, and may stop to pass anything on without a word. */
class Relay {
  port = 0;
  connections = 0;
  #silent: Socket[] = [];
  readonly #open = new Set<Socket>();

  static async before(ground: Ground): Promise<Relay> {
    const { host, port } = ground.place;
    const relay = new Relay();
    const server = createServer((socket) => {
      const upstream = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
      relay.connections += 1;
      for (const end of [socket, upstream]) {
        relay.#open.add(end);
        end.on('error', () => {});
      }
      socket.pipe(upstream).pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    relay.port = (server.address() as { port: number }).port;
    ground.finally(async () => {
      for (const socket of relay.#open) socket.destroy();
      server.close();
    });
    return relay;
  }

  /** Those that are open now: later ones speak. */
  silence(): void {
    this.#silent = [...this.#open];
    for (const socket of this.#silent) {
      socket.unpipe();
      socket.pause();
    }
  }
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!(await check())) assert.ok(performance.now() < deadline, 'it did not come about within 5 s');
}
