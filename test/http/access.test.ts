/** Who may do what: loopback, tokens with roles, the host program's function, origins, and a bound on failures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, defineTask, type HttpOptions, UnrecoverableError } from '../../src/index.ts';
import { prometheusMetrics } from '../../src/telemetry/prometheus/index.ts';
import { onEachStore, type Stage } from '../stage.ts';
import { type Ask, askerOf } from './asker.ts';

const LOOK = 'look-0123456789abcdef';
const ACT = 'act-0123456789abcdefg';
const RULE = 'administer-0123456789';
const tokens = [
  { token: LOOK, role: 'look', name: 'wall' },
  { token: ACT, role: 'act', name: 'ada' },
  { token: RULE, role: 'administer', name: 'root' },
] as const;

/** On the memory store: none of this is the store's. */
function onMemory(title: string, body: (stage: Stage) => Promise<void>): void {
  onEachStore(title, body, ['memory']);
}

async function asker({ connect }: Stage, options?: HttpOptions): Promise<Ask> {
  return askerOf((await connect()).http(options));
}

function bearer(token: string): { readonly headers: { readonly authorization: string } } {
  return { headers: { authorization: `Bearer ${token}` } };
}

onMemory('without tokens, only this machine may ask, and by a name of its own', async (stage) => {
  const ask = await asker(stage);
  const status = async (options: Parameters<Ask>[1]) => (await ask('GET /overview', options)).status;
  for (const origin of [
    'http://localhost:7070',
    'http://127.0.0.1:1',
    'http://[::1]:80',
    'http://jobs.localhost',
  ])
    assert.equal(await status({ origin }), 200, origin);
  for (const remoteAddress of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])
    assert.equal(await status({ facts: { remoteAddress } }), 200, remoteAddress);
  for (const remoteAddress of [undefined, '', '10.0.0.1', '::ffff:10.0.0.1', '128.0.0.1', '127.0.0.1.evil'])
    assert.equal(await status({ facts: { remoteAddress } }), 401, remoteAddress);
  // A page of another site whose name now leads here.
  for (const origin of [
    'http://evil.example',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
  ])
    assert.equal(await status({ origin }), 401, origin);
  // What a proxy on this machine passes on.
  for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip'])
    assert.equal(await status({ headers: { [name]: '10.0.0.1' } }), 401, name);
});

onMemory('probes ask for no token, and say no more than they must', async (stage) => {
  const ask = await asker(stage, { tokens });
  const facts = { remoteAddress: '10.0.0.1' };
  assert.deepEqual((await ask('GET /health/live', { facts, origin: 'http://10.0.0.2' })).body, { ok: true });
  assert.deepEqual((await ask('GET /health/ready', { facts })).body, { ok: true });
  assert.equal((await ask('GET /health', { facts })).status, 401);
});

onMemory('a role may do what it says, and what lesser ones may', async (stage) => {
  const ask = await asker(stage, { tokens });
  const statuses = async (place: string, body?: unknown) => {
    const found: number[] = [];
    for (const { token } of tokens) {
      const given = body === undefined ? {} : { body };
      found.push((await ask(place, { ...given, ...bearer(token) })).status);
    }
    return found;
  };
  assert.deepEqual(await statuses('GET /overview'), [200, 200, 200]);
  assert.deepEqual(await statuses('POST /jobs', { task: 'echo' }), [403, 201, 201]);
  assert.deepEqual(await statuses('POST /queues/default/pause'), [403, 200, 200]);
  assert.deepEqual(await statuses('POST /queues/default/drain'), [403, 403, 200]);
  assert.deepEqual(await statuses('PATCH /queues/default/limits', { concurrency: 1 }), [403, 403, 200]);
  const { entries } = (await ask('GET /audit', bearer(LOOK))).body;
  assert.deepEqual(
    entries.map(({ by, action }: Record<string, string>) => `${by} ${action}`),
    ['root setQueueLimits', 'root drainQueue', 'root pauseQueue', 'ada pauseQueue'],
  );
});

onMemory('every operation that changes something needs more than a look', async (stage) => {
  const longshore = await stage.connect();
  const ask = await askerOf(longshore.http({ tokens }));
  const { paths } = (await ask('GET //openapi.json')).body;
  let checked = 0;
  for (const [path, methods] of Object.entries(paths as Record<string, object>))
    for (const method of Object.keys(methods)) {
      if (method === 'get' || path === '/schedule-preview') continue;
      const place = `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, 'x')}`;
      assert.equal((await ask(place, { ...bearer(LOOK), body: {} })).status, 403, place);
      checked += 1;
    }
  assert.ok(checked > 20);
});

onMemory('forged, expired and missing tokens are refused alike', async (stage) => {
  const past = { token: 'expired-0123456789', role: 'look', expiresAt: new Date(1000) } as const;
  const ask = await asker(stage, { tokens: [...tokens, past] });
  const place = 'GET /overview';
  for (const authorization of [
    'Bearer',
    'Bearer ',
    `Basic ${RULE}`,
    `Bearer ${RULE}x`,
    `Bearer ${RULE.slice(0, -1)}`,
    `Bearer ${RULE.toUpperCase()}`,
    `Bearer ${past.token}`,
    RULE,
  ]) {
    const { status, headers, body } = await ask(place, { headers: { authorization } });
    assert.deepEqual([status, body.code], [401, 'HTTP_TOKEN_INVALID'], authorization);
    assert.match(headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.doesNotMatch(JSON.stringify(body), /0123456789/);
  }
  // Cookies and parameters are no tokens.
  assert.equal(
    (await ask(place, { headers: { cookie: `authorization=Bearer ${RULE}; token=${RULE}` } })).status,
    401,
  );
  assert.equal((await ask(`${place}?token=${RULE}`)).status, 401);
});

onMemory('failures of an address are bounded, and those who are known pass', async (stage) => {
  const ask = await asker(stage, { tokens, failuresMax: 3 });
  const facts = { remoteAddress: '10.0.0.1' };
  const guess = async (from = facts) =>
    ask('GET /overview', { ...bearer('a-guess-of-a-token'), facts: from });
  for (let tries = 0; tries < 3; tries += 1) assert.equal((await guess()).status, 401);
  const late = await guess();
  assert.deepEqual([late.status, late.body.code], [429, 'HTTP_TOO_MANY']);
  assert.ok(Number(late.headers.get('retry-after')) > 0);
  assert.equal((await guess({ remoteAddress: '10.0.0.2' })).status, 401);
  assert.equal((await ask('GET /overview', { ...bearer(LOOK), facts })).status, 200);
});

onMemory('the host program may say who may', async (stage) => {
  const authorize: NonNullable<HttpOptions['authorize']> = async ({ headers }) => {
    if (headers.get('x-user') === 'ada') return { role: 'act', name: 'ada@example.org' };
    if (headers.get('x-user') === 'broken') throw new Error('the session store is away');
    if (headers.get('x-user') === 'odd') return 'owner' as never;
    return headers.get('x-user') === null ? null : 'look';
  };
  const errors: unknown[] = [];
  const longshore = await stage.connect();
  const ask = await askerOf(longshore.http({ authorize, onError: (error) => errors.push(error) }));
  const as = (user: string) => ({ headers: { 'x-user': user } });
  assert.equal((await ask('GET /overview')).status, 401);
  assert.equal((await ask('GET /overview', as('bob'))).status, 200);
  assert.equal((await ask('POST /queues/mail/pause', as('bob'))).status, 403);
  assert.equal((await ask('POST /queues/mail/pause', as('ada'))).status, 200);
  assert.equal((await ask('GET /audit', as('bob'))).body.entries[0].by, 'ada@example.org');
  const broken = await ask('GET /overview', as('broken'));
  assert.deepEqual([broken.status, broken.body.code], [500, 'HTTP_FAILED']);
  assert.doesNotMatch(JSON.stringify(broken.body), /session store/);
  assert.match(String(errors[0]), /session store/);
  assert.notEqual((await ask('GET /overview', as('odd'))).status, 200);
});

onMemory('pages of other origins may not act, with whatever they are known by', async (stage) => {
  const ask = await asker(stage, { authorize: () => 'administer', origins: ['https://ops.example.org'] });
  const act = async (origin: string) =>
    (await ask('POST /queues/mail/pause', { headers: { origin }, origin: 'http://jobs.example.org' })).status;
  assert.equal(await act('http://jobs.example.org'), 200);
  assert.equal(await act('https://ops.example.org'), 200);
  for (const origin of [
    'https://evil.example',
    'null',
    'http://jobs.example.org.evil.example',
    'http://ops.example.org',
  ])
    assert.equal(await act(origin), 403, origin);
  const local = await asker(stage);
  const facts = { remoteAddress: '127.0.0.1' };
  assert.equal(
    (await local('GET /jobs', { facts, headers: { origin: 'https://evil.example' } })).status,
    403,
  );
});

onMemory('redacted paths are never sent, to whatever role', async (stage) => {
  const longshore = await stage.connect();
  const ask = await askerOf(
    longshore.http({
      redact: ['input.card', 'input.people.*.name', 'result', 'message', 'stack'],
    }),
  );
  const input = {
    card: '4111',
    people: [{ name: 'Ada', age: 36 }],
    note: 'shown',
    nested: { card: 'shown, too' },
  };
  const { id } = await longshore.enqueue('pay', input);
  const job = (await ask(`GET /jobs/${id}`)).body;
  assert.deepEqual(job.input, {
    card: '[redacted]',
    people: [{ name: '[redacted]', age: 36 }],
    note: 'shown',
    nested: { card: 'shown, too' },
  });
  assert.equal(job.result, '[redacted]');
  const listed = (await ask('GET /jobs?payloads=true')).body.jobs[0];
  assert.deepEqual([listed.input.card, listed.result], ['[redacted]', '[redacted]']);
  assert.deepEqual((await longshore.jobs.get(id))?.input, input);
  const pay = defineTask({
    name: 'pay',
    run: () => {
      throw new UnrecoverableError('card 4111 is refused');
    },
  });
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  const [error] = (await ask(`GET /jobs/${id}/attempts`)).body.errors;
  assert.deepEqual(
    [error.name, error.message, error.stack],
    ['UnrecoverableError', '[redacted]', '[redacted]'],
  );
  assert.doesNotMatch(JSON.stringify((await ask('GET /dead-letters')).body), /4111/);
});

test('metrics are those that the program gives; without them there are none', async (t) => {
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  const local = { remoteAddress: '127.0.0.1' };
  const asked = () => new Request('http://localhost/api/v1/metrics');
  const none = await longshore.http()(asked(), local);
  assert.deepEqual([none.status, ((await none.json()) as { code: string }).code], [404, 'HTTP_PATH_UNKNOWN']);
  const metrics = await prometheusMetrics(longshore, { database: 'always' });
  await longshore.enqueue('task', 1, { queue: 'mail' });
  const some = await longshore.http({ metrics })(asked(), local);
  assert.deepEqual([some.status, some.headers.get('content-type')], [200, metrics.contentType]);
  assert.match(await some.text(), /^longshore_queue_jobs\{queue="mail",state="ready"\} 1$/m);
});

test('options that cannot be meant are refused when the handler is made', async (t) => {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{ tokens: [{ token: 'short', role: 'look' }] }, /tokens\[0\]\.token is "5 characters"; expected 16/],
    [{ tokens: [{ token: LOOK, role: 'owner' }] }, /role is "owner"/],
    [{ tokens: LOOK }, /tokens is .*; expected an array/],
    [{ tokens, authorize: () => null }, /tokens is .*; expected to be left out/],
    [{ basePath: 'jobs' }, /basePath is "jobs"/],
    [{ origins: ['ops.example.org'] }, /origins\[0\]/],
    [{ redact: ['input..card'] }, /redact\[0\]/],
    [{ redact: ['queue'] }, /redact\[0\] is "queue"/],
    [{ bodyBytesMax: 0 }, /bodyBytesMax/],
    [{ metrics: {} }, /metrics is .*; expected what prometheusMetrics/],
    [{ authorise: () => null }, /did you mean "authorize"/],
  ];
  for (const [options, message] of refused)
    assert.throws(() => longshore.http(options as HttpOptions), { code: 'OPTION_INVALID', message });
});
