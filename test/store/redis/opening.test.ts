import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from '../../../src/connect.ts';
import { LongshoreError } from '../../../src/core/errors.ts';
import { redisDriver } from '../../../src/store/redis/index.ts';
import { requireServer, type ServerFacts, warningsOf } from '../../../src/store/redis/server.ts';
import { parseUrl } from '../../../src/store/redis/url.ts';
import { eventually, ownServer } from './server.ts';
import { claimRequest } from './specs.ts';

/** What opening a store at `url` is refused with. */
async function refusal(url: string): Promise<LongshoreError> {
  try {
    await (await redisDriver.open(url, {})).close();
  } catch (error) {
    assert.ok(error instanceof LongshoreError, `a LongshoreError and not ${error}`);
    return error;
  }
  throw new Error(`${url} could be opened`);
}

/** Everything the store needs, as docs/redis.md says. */
const RIGHTS = [
  '~{longshore}:*',
  '&{longshore}:*',
  '+@all',
  '-@admin',
  '-@dangerous',
  '+info',
  '+config|get',
];

for (const [lacks, rule, added] of [
  ['TIME', '-time', '\\+time'],
  ['PUBLISH', '-publish', '\\+publish'],
  ['HSET', '-hset', '\\+hset'],
  ['RENAME', '-rename', '\\+rename'],
  ['SUBSCRIBE', '-subscribe', '\\+subscribe'],
  ['EVAL', '-eval', '\\+eval'],
  ['EVALSHA', '-evalsha', '\\+evalsha'],
  ['INFO', '-info', '\\+info'],
  ["the store's channels", 'resetchannels', '&\\{longshore\\}:\\*'],
  ["the store's keys", 'resetkeys', '~\\{longshore\\}:\\*'],
] as const)
  test(`a user without rights to ${lacks} is told at opening which rule to add`, async (t) => {
    const server = await ownServer(t);
    await server.send('ACL', 'SETUSER', 'ada', 'on', '>right', ...RIGHTS, rule);
    const url = `redis://ada:right@127.0.0.1:${server.port}`;
    const { code, message } = await refusal(url);
    assert.equal(code, 'STORE_UNAVAILABLE');
    assert.match(message, new RegExp(`does not allow user 'ada' .*${lacks}`));
    assert.match(message, new RegExp(`ACL SETUSER ada .*${added}`));
    assert.doesNotMatch(message, /defect/);
  });

test('all rights that a user lacks are told at once, and with them the store works', async (t) => {
  const server = await ownServer(t);
  await server.send(
    'ACL',
    'SETUSER',
    'ada',
    'on',
    '>right',
    ...RIGHTS,
    '-time',
    '-publish',
    '-zadd',
    'resetchannels',
  );
  const url = `redis://ada:right@127.0.0.1:${server.port}`;
  const { message } = await refusal(url);
  const [, rules = ''] = /Run ACL SETUSER ada (.*?)\. Enough/.exec(message) ?? [];
  assert.deepEqual(rules.split(' ').sort(), ['&{longshore}:*', '+publish', '+time', '+zadd']);
  await server.send('ACL', 'SETUSER', 'ada', ...rules.split(' '));
  await (await redisDriver.open(url, {})).close();
});

test('a right that is taken away while the store is open is named', async (t) => {
  const server = await ownServer(t);
  await server.send('ACL', 'SETUSER', 'ada', 'on', '>right', ...RIGHTS);
  const store = await redisDriver.open(`redis://ada:right@127.0.0.1:${server.port}`, {});
  try {
    await server.send('ACL', 'SETUSER', 'ada', '-time');
    await assert.rejects(store.claim(claimRequest({})), /does not allow user 'ada' the command TIME.*\+time/);
  } finally {
    await store.close();
  }
});

test('a URL says host, port, user, database and options', () => {
  assert.deepEqual(parseUrl('redis://example.org'), {
    host: 'example.org',
    port: 6379,
    tls: false,
    user: null,
    password: null,
    database: 0,
    prefix: 'longshore',
    cluster: false,
    timeoutMs: 30_000,
  });
  assert.deepEqual(parseUrl('rediss://ada:p%40ss@[::1]:7000/3?prefix=my%20jobs&timeoutMs=500'), {
    host: '::1',
    port: 7_000,
    tls: true,
    user: 'ada',
    password: 'p@ss',
    database: 3,
    prefix: 'my jobs',
    cluster: false,
    timeoutMs: 500,
  });
  assert.equal(parseUrl('valkey://h?cluster=true').cluster, true);
});

test('a URL that makes no sense is refused with what is wrong', () => {
  for (const [url, message] of [
    ['redis:', /names no host|expected redis:/],
    ['redis://', /expected redis:/],
    ['http://h', /expected redis:/],
    ['redis://h:99999', /expected redis:/],
    ['redis://h/one', /"\/one" is no database/],
    ['redis://h/1/2', /is no database/],
    ['redis://h?prefix=', /option prefix is ""/],
    ['redis://h?prefix={a}', /no braces/],
    ['redis://h?prefix=a%00b', /no control characters/],
    [`redis://h?prefix=${'x'.repeat(101)}`, /1 to 100 characters/],
    ['redis://h?timeoutMs=soon', /option timeoutMs is "soon"/],
    ['redis://h?timeoutMs=5', /from 100 to/],
    ['redis://h?cluster=yes', /option cluster is "yes"/],
    ['redis://h/1?cluster=true', /a cluster has one database/],
    ['redis://h?prefix=a&prefix=b', /stands there twice/],
    ['redis://h?prefx=a', /no option "prefx", only prefix, cluster, timeoutMs/],
    ['redis://h#part', /# is not allowed/],
    ['redis://u:100%@h', /write %25/],
    ['redis://u:a#b@h', /special characters of a password as %40 for @, %23 for #/],
  ] as const)
    assert.throws(() => parseUrl(url), { code: 'STORE_URL_INVALID', message }, url);
});

test('no message shows a password, wherever it stands in the URL', () => {
  for (const url of [
    'redis://ada:secret@h/x',
    'redis://ada:secret@h?x=1',
    'redis://ada:sec@secret@h:1:2',
    'redis:ada:secret@h',
    'redis://h?password=secret',
    'redis://ada:%secret@h',
  ])
    assert.throws(
      () => parseUrl(url),
      (error: LongshoreError) => {
        const told = error.message + JSON.stringify(error.details);
        assert.equal(told.includes('secret'), false, told);
        return true;
      },
    );
});

test('a server that is not there is named with its port and what to check', async () => {
  const socket = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => socket.once('listening', resolve));
  const { port } = socket.address() as { port: number };
  await new Promise((resolve) => socket.close(resolve));
  const refused = await refusal(`redis://ada:secret@127.0.0.1:${port}`);
  assert.equal(refused.code, 'STORE_UNAVAILABLE');
  assert.match(
    refused.message,
    new RegExp(`127\\.0\\.0\\.1:${port} refuses the connection .*Check that the server runs`),
  );
  assert.equal(refused.message.includes('secret'), false);
  assert.deepEqual(refused.details, { host: '127.0.0.1', port, database: 0, user: 'ada' });

  const unknown = await refusal('redis://nowhere.invalid');
  assert.equal(unknown.code, 'STORE_UNAVAILABLE');
  assert.match(unknown.message, /cannot be found .*Check the host name 'nowhere\.invalid'/);
});

test('users, passwords and rights that are wrong are told from each other', async (t) => {
  const server = await ownServer(t);
  const at = `127.0.0.1:${server.port}`;
  await server.send('ACL', 'SETUSER', 'ada', 'on', '>right', '~*', '&*', '+@all');
  await server.send('ACL', 'SETUSER', 'guest', 'on', '>right', '~*', '&*', '+ping', '+info');
  await server.send('ACL', 'SETUSER', 'default', 'resetpass', '>top');

  const nobody = await refusal(`redis://${at}`);
  assert.deepEqual([nobody.code, nobody.retryable], ['STORE_UNAVAILABLE', true]);
  assert.match(nobody.message, /wants a password.*Put it into the store URL/);
  const wrong = await refusal(`redis://ada:wrong-one@${at}`);
  assert.match(wrong.message, /refuses user 'ada'.*Check user name and password/);
  assert.equal(wrong.message.includes('wrong-one'), false);
  const guest = await refusal(`redis://guest:right@${at}`);
  assert.match(guest.message, /does not allow user 'guest' the command EVAL.*ACL SETUSER guest \+eval/);
  await (await redisDriver.open(`redis://ada:right@${at}`, {})).close();
});

test('the rights a message names are enough', async (t) => {
  const server = await ownServer(t);
  await server.send(
    ...['ACL', 'SETUSER', 'ada', 'on', '>right', '~{longshore}:*', '&{longshore}:*'],
    ...['+@all', '-@admin', '-@dangerous', '+info', '+config|get'],
  );
  const longshore = await connect(`redis://ada:right@127.0.0.1:${server.port}`);
  await longshore.enqueue('task', 1);
  await longshore.queues.list();
  await longshore.close();
});

test('a database the server does not have is refused', async (t) => {
  const server = await ownServer(t);
  const { code, message } = await refusal(`${server.url}/99`);
  assert.equal(code, 'STORE_URL_INVALID');
  assert.match(message, /has no database 99/);
});

test('a replica is read-only, also when the primary becomes one later', async (t) => {
  const primary = await ownServer(t);
  const replica = await ownServer(t);
  const store = await replica.open();
  await replica.send('REPLICAOF', '127.0.0.1', String(primary.port));
  const { code, message } = await refusal(replica.url);
  assert.equal(code, 'STORE_READ_ONLY');
  assert.match(message, /is a replica.*Name the primary/);
  await assert.rejects(store.configureQueue('q', { paused: true }), {
    code: 'STORE_UNAVAILABLE',
    message: /takes no writes now.*promote this one/,
  });
});

test('a server that is loading says so, and then it is open', async (t) => {
  // It answers while it loads only after so many bytes.
  const bytes = ['--loading-process-events-interval-bytes', '1024', '--rdbcompression', 'no'];
  const server = await ownServer(t, { args: ['--enable-debug-command', 'yes', ...bytes] });
  for (let key = 0; key < 20; key += 1) await server.send('SET', `other-${key}`, 'x'.repeat(2_048));
  await server.send('CONFIG', 'SET', 'key-load-delay', '50000');
  const reloading = server.send('DEBUG', 'RELOAD');
  const message = await eventually(async () => {
    try {
      await (await redisDriver.open(server.url, {})).close();
      return undefined;
    } catch (error) {
      return (error as LongshoreError).message;
    }
  });
  assert.match(message, /still loading its data.*Try again in a moment/);
  await server.send('CONFIG', 'SET', 'key-load-delay', '0').catch(() => {});
  await reloading;
  await (await server.open()).close();
});

test('a store that a newer version wrote, or another program, is refused and left alone', async (t) => {
  const server = await ownServer(t);
  await server.send('HSET', '{longshore}:meta', 'layout', '99');
  assert.match(
    (await refusal(server.url)).message,
    /has layout 99; .* knows layouts up to 1\. Install the newer/,
  );
  assert.equal((await refusal(server.url)).code, 'STORE_NEWER');
  await server.send('HSET', '{longshore}:meta', 'layout', 'nonsense');
  assert.equal((await refusal(server.url)).code, 'STORE_CORRUPT');
  await server.send('SET', '{other}:meta', 'theirs');
  const other = await refusal(`${server.url}?prefix=other`);
  assert.deepEqual([other.code, /Use another prefix/.test(other.message)], ['STORE_URL_INVALID', true]);
  assert.equal(await server.send('GET', '{other}:meta'), 'theirs');
});

test('migrate makes a new store, says what it would do, and finds it done', async (t) => {
  const server = await ownServer(t);
  const step = { version: 1, name: 'first layout' };
  const dry = await redisDriver.migrate(server.url, { dryRun: true });
  assert.deepEqual(dry, { from: 0, to: 1, steps: [{ ...step, applied: false }] });
  assert.equal(await server.send('DBSIZE'), 0);
  const done = await redisDriver.migrate(server.url, { dryRun: false });
  assert.deepEqual(done, { from: 0, to: 1, steps: [{ ...step, applied: true }] });
  assert.deepEqual(await redisDriver.migrate(server.url, { dryRun: false }), { from: 1, to: 1, steps: [] });
});

const FACTS: ServerFacts = {
  product: 'redis',
  version: '7.2.4',
  isReplica: false,
  isCluster: false,
  isLoading: false,
  appends: true,
  fsync: 'everysec',
  snapshots: '',
  memoryUsedBytes: 1,
  memoryMaxBytes: 0,
  evictionPolicy: 'noeviction',
};
const ADDRESS = parseUrl('redis://h');

test('servers older than 7 are refused', () => {
  requireServer(FACTS, ADDRESS);
  assert.throws(() => requireServer({ ...FACTS, version: '6.2.14' }, ADDRESS), {
    code: 'STORE_UNAVAILABLE',
    message: /is version 6\.2\.14; Longshore needs 7\.0 or later/,
  });
});

test('warned of is what loses jobs without an error, and nothing that nobody knows', () => {
  assert.deepEqual(warningsOf(FACTS, ADDRESS), []);
  assert.match(
    warningsOf({ ...FACTS, appends: false }, ADDRESS).join(),
    /keeps nothing on its disk.*appendonly yes/,
  );
  assert.deepEqual(warningsOf({ ...FACTS, appends: false, snapshots: '3600 1' }, ADDRESS), []);
  assert.deepEqual(warningsOf({ ...FACTS, appends: false, snapshots: null }, ADDRESS), []);
  const evicting = warningsOf({ ...FACTS, evictionPolicy: 'allkeys-lru' }, ADDRESS);
  assert.match(evicting.join(), /deletes keys.*noeviction/);
});

test('who opens a store without persistence is warned once a process', async (t) => {
  const server = await ownServer(t);
  const warnings: string[] = [];
  const hear = ({ name, message }: Error) => {
    if (name === 'LongshoreWarning') warnings.push(message);
  };
  process.on('warning', hear);
  t.after(() => process.off('warning', hear));
  for (let time = 0; time < 2; time += 1) await (await connect(server.url)).close();
  await eventually(async () => warnings[0]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', new RegExp(`127\\.0\\.0\\.1:${server.port} keeps nothing on its disk`));
});
