import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pageOfSources } from '../../setup/page.mjs';
import { ended, LONGSHORE, Sandbox } from './longshore.ts';

const TOKEN = 'a-token-0123456789';

async function serving(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  verb = 'serve',
) {
  const sandbox = new Sandbox(t);
  await sandbox.run(['migrate']);
  sandbox.write(
    'tasks/order.ts',
    `import { defineFlow, defineTask } from '${LONGSHORE}';
     export const charge = defineTask({ name: 'charge', run: () => 1 });
     export const order = defineFlow({ name: 'order', steps: (s) => s.step('charge', charge) });`,
  );
  sandbox.write('tokens.txt', `# for the wall\nlook:${TOKEN}:wall\n`);
  const child = sandbox.start([verb, '--port', '0', ...args, '--json'], env);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url, page } = JSON.parse(line.toString()) as { url: string; page: string };
  return { sandbox, child, url, page, end: ended(child) };
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`serve answers on this machine, and ${signal} stops it in order, streams included`, async (t) => {
    const { child, url, end } = await serving(t, ['--tasks', 'tasks/']);
    const overview = await fetch(`${url}/overview`);
    assert.equal(overview.status, 200);
    const started = await fetch(`${url}/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"flow":"order","id":"o1"}',
    });
    assert.equal(started.status, 201);
    const stream = await fetch(`${url}/events`);
    child.kill(signal);
    await stream.text();
    assert.equal((await end).code, 0);
  });

test('dashboard names the address of the page, below its base path', async (t) => {
  await pageOfSources(fileURLToPath(new URL('../..', import.meta.url)));
  const { child, url, page, end } = await serving(t, ['--base-path', '/ops'], {}, 'dashboard');
  assert.equal(url, page);
  assert.match(url, /\/ops\/$/);
  const document = await fetch(url);
  assert.match(document.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(document.headers.get('content-security-policy') ?? '', /script-src 'self'/);
  const script = await fetch(new URL('page.js', url));
  assert.deepEqual([script.status, (await script.text()).length > 0], [200, true]);
  // Without its slash it leads there.
  const { status, url: reached } = await fetch(url.replace(/\/$/, ''));
  assert.deepEqual([status, reached], [200, url]);
  child.kill('SIGTERM');
  assert.equal((await end).code, 0);
});

test('serve --reports shows the results of a folder, wherever it was started', async (t) => {
  const { sandbox, child, url, end } = await serving(t, ['--reports', '.']);
  sandbox.write(
    'one.json',
    '{"schema":"longshore-bench/1","command":"idle","startedAt":"2026-11-22T10:00:00Z"}',
  );
  const { open, reports } = (await (await fetch(`${url}/reports`)).json()) as {
    open: boolean;
    reports: { name: string; command: string }[];
  };
  assert.deepEqual(
    [open, reports.map(({ name, command }) => `${name} ${command}`)],
    [true, ['one.json idle']],
  );
  child.kill('SIGTERM');
  assert.equal((await end).code, 0);
});

test('serve --metrics has the metrics of the database for those who may look', async (t) => {
  const args = ['--metrics', '--failures-max', '1', '--token', `look:${TOKEN}`];
  const { child, url, end } = await serving(t, args);
  for (const status of [401, 429]) assert.equal((await fetch(`${url}/metrics`)).status, status);
  const scraped = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  assert.match(scraped.headers.get('content-type') ?? '', /^text\/plain; version=/);
  const text = await scraped.text();
  assert.match(text, /^longshore_build_info\{version="[^"]+"\} 1$/m);
  assert.match(text, /^longshore_fleet_workers\{state="alive"\} 0$/m);
  child.kill('SIGTERM');
  assert.equal((await end).code, 0);
});

test('serve takes tokens from a file and from the environment', async (t) => {
  const env = {
    LONGSHORE_HTTP_TOKENS: `act:${TOKEN}-act:ada,administer:${TOKEN}-old:root:2020-01-01T00:00:00Z`,
  };
  const { child, url, end } = await serving(t, ['--token-file', 'tokens.txt'], env);
  const ask = async (path: string, token?: string, method = 'GET') => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(`${url}${path}`, { method, headers })).status;
  };
  assert.equal(await ask('/overview'), 401);
  assert.equal(await ask('/overview', TOKEN), 200);
  assert.equal(await ask('/queues/mail/pause', TOKEN, 'POST'), 403);
  assert.equal(await ask('/queues/mail/pause', `${TOKEN}-act`, 'POST'), 200);
  assert.equal(await ask('/overview', `${TOKEN}-old`), 401);
  child.kill('SIGTERM');
  assert.equal((await end).code, 0);
});

test('serve refuses what would open it to everybody, and says what is wrong', async (t) => {
  const sandbox = new Sandbox(t);
  await sandbox.run(['migrate']);
  const refused = async (args: readonly string[], message: RegExp) => {
    const { code, stderr } = await sandbox.run(['serve', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  };
  await refused(['--host', '0.0.0.0'], /needs tokens/);
  await refused(['--token', 'owner:abc'], /ROLE:TOKEN, where ROLE is look, act, administer/);
  await refused(['--token', 'look:short'], /16 characters or more/);
  await refused(['--token-file', 'none.txt'], /--token-file cannot be read/);
  await refused(['--port', '99999'], /--port/);
  await refused(['--reports', 'none'], /--reports none: there is no such folder/);
  await refused(['--reports', 'tokens.txt'], /--reports tokens\.txt: there is no such folder/);
  const secret = await sandbox.run(['serve', '--token', 'owner:a-secret-of-mine']);
  assert.doesNotMatch(secret.stderr, /a-secret-of-mine/);
});

test('why tells what holds a job, and the steps of a run', async (t) => {
  const sandbox = new Sandbox(t);
  const id = await sandbox.enqueue('thumbnail', '1');
  await sandbox.run(['pause', 'default']);
  const { code, stdout } = await sandbox.run(['why', id]);
  assert.equal(code, 0);
  assert.match(stdout, /^Its queue 'default' is paused\.\nNo live worker serves its queue 'default'\.\n$/);
  const { reasons } = await sandbox.json<{ reasons: { code: string }[] }>(['why', id]);
  assert.deepEqual(
    reasons.map((reason) => reason.code),
    ['queuePaused', 'noWorker'],
  );
  assert.equal((await sandbox.run(['why', 'nothing'])).code, 1);
});
