/** What callers get wrong, or send on purpose: each the right status with a problem document, and nothing lost. */
import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { onEachStore, type Stage } from '../stage.ts';
import { askerOf } from './asker.ts';

function onMemory(title: string, body: (stage: Stage) => Promise<void>): void {
  onEachStore(title, body, ['memory']);
}

onMemory(
  'bodies that are no JSON, no UTF-8, of another type or too large are refused',
  async ({ connect }) => {
    const longshore = await connect();
    const handler = longshore.http({ bodyBytesMax: 1_000 });
    const ask = await askerOf(handler);
    const send = async (body: string, type = 'application/json') => {
      const answer = await ask('POST /jobs', { body, headers: { 'content-type': type } });
      return [answer.status, answer.body.code];
    };
    for (const body of [
      '{',
      '{"task":"a"',
      '{"task":"a"}}',
      'task=a',
      "{'task':'a'}",
      '\u0000',
      '[',
      '{"task":undefined}',
    ])
      assert.deepEqual(await send(body), [400, 'HTTP_REQUEST_INVALID'], body);
    for (const body of [
      'null',
      '[]',
      '"a"',
      '7',
      '{}',
      '{"task":7}',
      '{"task":""}',
      '{"task":"a","tasks":"b"}',
    ])
      assert.deepEqual(await send(body), [400, 'HTTP_REQUEST_INVALID'], body);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonp',
      '',
    ])
      assert.deepEqual(await send('{"task":"a"}', type), [415, 'HTTP_MEDIA_TYPE_REFUSED'], type);
    assert.deepEqual((await send('{"task":"a"}', 'application/json; charset=utf-8'))[0], 201);
    const large = JSON.stringify({ task: 'a', input: 'x'.repeat(2_000) });
    assert.deepEqual(await send(large), [413, 'PAYLOAD_TOO_LARGE']);
    const bytes = new Uint8Array([0x22, 0xff, 0x22]);
    const latin = await handler(
      new Request('http://localhost/api/v1/jobs', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: bytes,
      }),
      { remoteAddress: '127.0.0.1' },
    );
    assert.equal(latin.status, 400);
    assert.equal((await longshore.jobs.list()).jobs.length, 1);
  },
);

onMemory('a body that never ends is cut at its bound, also when it says no length', async ({ connect }) => {
  const handler = (await connect()).http({ bodyBytesMax: 10_000 });
  let sent = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1_000;
      controller.enqueue(new Uint8Array(1_000).fill(0x20));
    },
    cancel() {
      cancelled = true;
    },
  });
  const request = new Request('http://localhost/api/v1/jobs', {
    ...{ method: 'POST', body, duplex: 'half' },
    headers: { 'content-type': 'application/json' },
  } as RequestInit);
  const response = await handler(request, { remoteAddress: '127.0.0.1' });
  assert.equal(response.status, 413);
  assert.deepEqual([cancelled, sent < 20_000], [true, true]);
});

onMemory(
  'a payload that is larger than payloads may be, or nested too deeply, is refused',
  async ({ connect }) => {
    const ask = await askerOf((await connect({ payloadBytesMax: 1_000 })).http());
    const large = await ask('POST /jobs', { body: { task: 'a', input: 'x'.repeat(2_000) } });
    assert.deepEqual([large.status, large.body.code], [413, 'PAYLOAD_TOO_LARGE']);
    const nested = `{"task":"a","input":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const deep = await ask('POST /jobs', { body: nested });
    assert.deepEqual([deep.status, deep.body.code], [422, 'PAYLOAD_NOT_JSON']);
  },
);

onMemory('paths and queries that are none are refused', async ({ connect }) => {
  const ask = await askerOf((await connect()).http());
  const status = async (place: string) => (await ask(place)).status;
  assert.equal(await status('GET /../../openapi.json/..%2f..%2fetc'), 404);
  assert.equal(await status('GET /jobs/..%2F..%2Fetc%2Fpasswd'), 404);
  assert.equal(await status('GET /jobs/%2e%2e/health/live'), 200);
  assert.equal(await status('GET /jobs/%ff'), 400);
  assert.equal(await status('GET /jobs/%00'), 400);
  assert.equal(await status('GET /jobs/'), 400);
  assert.equal(await status('GET /nothing'), 404);
  assert.equal(await status('GET //nothing'), 404);
  assert.equal(await status(`GET /jobs/${'x'.repeat(5_000)}`), 400);
  for (const query of [
    'limit=0',
    'limit=1000000',
    'limit=1e2',
    'limit=',
    'state=odd',
    'state=',
    'cursor=abc',
    'nothing=1',
  ])
    assert.equal(await status(`GET /jobs?${query}`), 400, query);
  assert.equal(await status('GET /jobs?limit=1&limit=2'), 400);
  assert.equal(await status('GET /jobs?__proto__=1'), 400);
  assert.equal(await status('GET /jobs/constructor'), 404);
});

onMemory('methods: HEAD as GET without a body, OPTIONS tells, others are refused', async ({ connect }) => {
  const ask = await askerOf((await connect()).http());
  const head = await ask('HEAD /overview');
  assert.deepEqual(
    [head.status, head.body, head.headers.get('content-type')],
    [200, null, 'application/json'],
  );
  const options = await ask('OPTIONS /jobs');
  assert.deepEqual([options.status, options.headers.get('allow')], [204, 'GET, HEAD, OPTIONS, POST']);
  const put = await ask('PUT /jobs');
  assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET, HEAD, OPTIONS, POST']);
  assert.equal((await ask('DELETE /jobs/batch')).status, 405);
  assert.equal((await ask('POST //openapi.json')).status, 405);
  assert.equal(
    (await ask('GET /overview', { facts: { remoteAddress: '::1', method: 'TRACE' } })).status,
    405,
  );
});

onMemory('requests that fit the document and cannot be meant say why', async ({ connect }) => {
  const ask = await askerOf((await connect()).http());
  const refused = async (place: string, body: unknown) => {
    const answer = await ask(place, { body });
    return [answer.status, answer.body.detail];
  };
  const [status, detail] = await refused('PUT /schedules/s', { cron: 'often', task: 'a' });
  assert.equal(status, 422);
  assert.match(detail, /cron/);
  assert.equal((await refused('PUT /schedules/s', { at: 1, task: 'a' }))[0], 422);
  const both = await refused('PUT /schedules/s', { everyMs: 1000, cron: '* * * * *', task: 'a' });
  assert.deepEqual([both[0], /Exactly one of task and flow/.test(both[1])], [400, true]);
  assert.equal(
    (await refused('PATCH /queues/q/limits', { perKey: { ordered: true, concurrency: 2 } }))[0],
    422,
  );
  assert.equal((await refused('PATCH /queues/*/limits', { concurrency: 2 }))[0], 422);
});

onEachStore('names with any Unicode or markup come back as they are', async ({ connect }) => {
  const longshore = await connect();
  const ask = await askerOf(longshore.http());
  const names = [
    '<script>alert(1)</script>',
    'a\'b"c`$`',
    '名前 🚀',
    'a/b?c#d&e=f%20',
    '../..',
    'ｅ\u0301\u202Eevil',
    '__proto__',
  ];
  for (const name of names) {
    const { body, status } = await ask('POST /jobs', {
      body: { task: name, queue: name, key: name, input: { [name]: name } },
    });
    assert.equal(status, 201, name);
    const job = (await ask(`GET /jobs/${body.id}`)).body;
    assert.deepEqual(
      [job.task, job.queue, job.key, Object.entries(job.input)],
      [name, name, name, [[name, name]]],
    );
    const found = await ask(`GET /jobs?queue=${encodeURIComponent(name)}&task=${encodeURIComponent(name)}`);
    assert.deepEqual(
      [found.body.jobs.length, found.headers.get('x-content-type-options')],
      [1, 'nosniff'],
      name,
    );
    assert.equal((await ask(`POST /queues/${encodeURIComponent(name)}/pause`)).body.name, name);
    assert.equal((await ask(`GET /queues/${encodeURIComponent(name)}`)).body.name, name);
  }
  for (const name of ['a\u0000b', 'a\nb', 'a\u007fb', '', 'x'.repeat(201)])
    assert.equal((await ask('POST /jobs', { body: { task: name } })).status, 400, JSON.stringify(name));
  assert.equal((await ask('POST /jobs', { body: '{"task":"half \\ud800"}' })).status, 422);
});

onEachStore('of two operators who act on one job, one does it and the other is told', async ({ connect }) => {
  const longshore = await connect();
  const ask = await askerOf(longshore.http());
  const { id } = await longshore.enqueue('echo', 1);
  const both = await Promise.all([ask(`POST /jobs/${id}/cancel`), ask(`POST /jobs/${id}/cancel`)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
  const refused = both.find(({ status }) => status === 409)?.body;
  assert.deepEqual([refused.code, refused.details.state], ['JOB_STATE_REFUSED', 'cancelled']);
  const mixed = await Promise.all([ask(`POST /jobs/${id}/redrive`), ask(`DELETE /jobs/${id}`)]);
  assert.ok(mixed.every(({ status }) => [200, 404, 409].includes(status)));
  assert.equal(
    ((await longshore.jobs.get(id))?.audit ?? []).filter(({ action }) => action === 'cancel').length <= 1,
    true,
  );
});

onEachStore('an Idempotency-Key makes a repeat safe, on whichever server', async ({ kind, connect }) => {
  const longshore = await connect();
  const ask = await askerOf(longshore.http());
  const other = kind === 'memory' ? ask : await askerOf((await connect()).http());
  const body = { task: 'echo', input: { a: 1 } };
  const headers = { 'idempotency-key': 'order-7' };
  const all = await Promise.all([
    ask('POST /jobs', { body, headers }),
    other('POST /jobs', { body, headers }),
  ]);
  assert.deepEqual(all.map(({ status }) => status).sort(), [200, 201]);
  assert.equal(new Set(all.map((one) => one.body.id)).size, 1);
  const changed = await other('POST /jobs', { body: { task: 'echo', input: { a: 2 } }, headers });
  assert.deepEqual([changed.status, changed.body.code], [422, 'HTTP_KEY_REUSED']);
  const jobs = [{ input: 1 }, { input: 2 }];
  const first = await ask('POST /jobs/batch', { body: { task: 'echo', jobs }, headers });
  const again = await other('POST /jobs/batch', { body: { task: 'echo', jobs }, headers });
  const ids = (answer: typeof first) => answer.body.jobs.map(({ id }: { id: string }) => id);
  assert.deepEqual(ids(again), ids(first));
  assert.equal((await longshore.jobs.list()).jobs.length, 3);
  await longshore.worker({ tasks: [defineTask({ name: 'echo', run: ({ input }) => input })] }).runUntilIdle();
  const late = await ask('POST /jobs', { body, headers });
  assert.deepEqual([late.status, late.body.status, late.body.id], [200, 'existing', all[0]?.body.id]);
});
