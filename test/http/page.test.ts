/** How the handler serves the page, without a browser: test/page has those. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pageOfSources } from '../../setup/page.mjs';
import { connect, defineTask, type HttpHandler } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';
import { askerOf } from './asker.ts';

/** All that a browser has to load, compressed. */
const GZIPPED_BYTES_MAX = 200_000;

before(() => pageOfSources(fileURLToPath(new URL('../..', import.meta.url))));

function ask(handler: HttpHandler, path: string, init: RequestInit = {}): Promise<Response> {
  return handler(new Request(`http://ops.example.org${path}`, init), { remoteAddress: '203.0.113.9' });
}

test('the page is three files that ask for no token, with a policy that forbids all else', async (t) => {
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  const handler = longshore.http({
    tokens: [{ token: 'a-token-0123456789', role: 'look' }],
    basePath: '/ops',
  });
  const files = { '/ops/': 'text/html', '/ops/page.js': 'text/javascript', '/ops/page.css': 'text/css' };
  let bytes = 0;
  for (const [path, media] of Object.entries(files)) {
    const response = await ask(handler, path);
    assert.deepEqual(
      [response.status, response.headers.get('content-type')],
      [200, `${media}; charset=utf-8`],
    );
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    const text = await response.text();
    bytes += gzipSync(text).length;
    const zipped = await ask(handler, path, { headers: { 'accept-encoding': 'gzip, br' } });
    assert.equal(zipped.headers.get('content-encoding'), 'gzip');
    assert.equal(gunzipSync(await zipped.arrayBuffer()).toString(), text);
    const etag = response.headers.get('etag') ?? '';
    assert.equal((await ask(handler, path, { headers: { 'if-none-match': etag } })).status, 304);
    const head = await ask(handler, path, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    // Nothing of another host, and no script or style in the document.
    if (media === 'text/html') assert.doesNotMatch(text, /https?:\/\/|<style|<script(?![^>]* src=)|\son\w+=/);
  }
  assert.ok(bytes < GZIPPED_BYTES_MAX, `${bytes} bytes`);
  const bare = await ask(handler, '/ops');
  assert.deepEqual([bare.status, bare.headers.get('location')], [308, './ops/']);
  for (const path of ['/', '/ops/page.ts', '/ops/../page.js', '/ops/built/page.js', '/ops/constructor'])
    assert.equal((await ask(handler, path)).status, 404, path);
  assert.equal((await ask(handler, '/ops/', { method: 'POST' })).status, 404);
});

test('a caller is told its name and role', async (t) => {
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  const token = 'a-token-0123456789';
  const asked = await askerOf(longshore.http());
  assert.deepEqual((await asked('GET /me')).body, { name: 'local', role: 'administer' });
  const closed = longshore.http({ tokens: [{ token, role: 'act', name: 'ada' }] });
  const headers = { authorization: `Bearer ${token}` };
  assert.deepEqual(await (await ask(closed, '/api/v1/me', { headers })).json(), { name: 'ada', role: 'act' });
});

test('callers that take an answer of 2 s ago share it, until somebody acts', async (t) => {
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  let reads = 0;
  longshore.on('store.called', ({ verb }) => {
    if (verb === 'list') reads += 1;
  });
  const asked = await askerOf(longshore.http());
  const headers = { 'cache-control': 'max-age=2' };
  const look = async () => (await asked('GET /jobs?state=ready,cancelled', { headers })).body.jobs.length;
  assert.deepEqual(
    await Promise.all(Array.from({ length: 50 }, look)),
    Array.from({ length: 50 }, () => 0),
  );
  assert.equal(reads, 1);
  const { id } = await longshore.enqueue('page', 1);
  await asked(`POST /jobs/${id}/cancel`);
  assert.equal(await look(), 1);
  assert.equal((await asked('GET /jobs?state=cancelled')).body.jobs.length, 1);
});

onEachStore('jobs are found by correlation id and by tag', async ({ connect: open }) => {
  const longshore = await open();
  const asked = await askerOf(longshore.http());
  const meta = { correlationId: 'order-7', tags: ['vip', 'eu'] };
  const { id } = await longshore.enqueue(defineTask({ name: 'echo', run: () => 1 }), 1, { meta });
  await longshore.enqueue('echo', 2, { meta: { tags: ['eu'] } });
  const ids = async (query: string) =>
    (await asked(`GET /jobs?${query}`)).body.jobs.map((job: { id: string }) => job.id);
  assert.deepEqual(await ids('correlationId=order-7'), [id]);
  assert.deepEqual(await ids('tag=vip'), [id]);
  assert.equal((await ids('tag=eu')).length, 2);
});
