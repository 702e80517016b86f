/** Recorded results over HTTP: those of one folder, by names that lead nowhere else, for whoever may look. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, type HttpOptions } from '../../src/index.ts';
import { type Ask, askerOf } from './asker.ts';

const RECORDED = fileURLToPath(new URL('../../bench/results/2026-11-22-idle-redis.json', import.meta.url));

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-reports-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function asker(t: TestContext, options: HttpOptions): Promise<Ask> {
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  return askerOf(longshore.http(options));
}

test('results are listed with what was measured, and read as they were recorded', async (t) => {
  const reports = folderOf(t);
  const text = readFileSync(RECORDED, 'utf8');
  writeFileSync(join(reports, 'idle.json'), text);
  const ask = await asker(t, { reports });
  const { status, body } = await ask('GET /reports');
  assert.equal(status, 200);
  assert.deepEqual([body.open, body.more, body.reports.length], [true, 0, 1]);
  const { modifiedAt: _, ...listed } = body.reports[0];
  assert.deepEqual(listed, {
    name: 'idle.json',
    bytes: Buffer.byteLength(text),
    command: 'idle',
    startedAt: '2026-11-22T16:37:31.690Z',
    store: 'redis',
    machine: 'AMD EPYC',
    problem: null,
  });
  const one = await ask('GET /reports/idle.json');
  assert.deepEqual(one.body, { name: 'idle.json', document: JSON.parse(text) });
});

test('a file that is no result is listed with why, and not opened', async (t) => {
  const reports = folderOf(t);
  writeFileSync(join(reports, 'cut.json'), '{"a":');
  writeFileSync(join(reports, 'empty.json'), '');
  writeFileSync(join(reports, 'other.json'), '{"password":"secret"}');
  writeFileSync(join(reports, 'huge.json'), '');
  truncateSync(join(reports, 'huge.json'), 17 * 2 ** 20);
  writeFileSync(join(reports, 'notes.txt'), 'secret');
  mkdirSync(join(reports, 'folder.json'));
  const ask = await asker(t, { reports });
  const { body } = await ask('GET /reports');
  const problems = Object.fromEntries(
    body.reports.map(({ name, problem }: { name: string; problem: string }) => [name, problem]),
  );
  assert.deepEqual(problems, {
    'cut.json': 'is no JSON',
    'empty.json': 'is empty',
    'other.json': 'is no result of the bench',
    'huge.json': 'has more than 16 MB',
  });
  for (const name of Object.keys(problems)) {
    const { status, body: told } = await ask(`GET /reports/${name}`);
    assert.deepEqual([status, told.code], [422, 'REPORT_INVALID'], name);
    assert.ok(!JSON.stringify(told).includes('secret'));
  }
  assert.equal((await ask('GET /reports/folder.json')).body.code, 'REPORT_UNKNOWN');
});

test('a file that changed is read anew', async (t) => {
  const reports = folderOf(t);
  const path = join(reports, 'one.json');
  const ask = await asker(t, { reports });
  const problems = async () =>
    (await ask('GET /reports')).body.reports.map(({ problem }: { problem: string | null }) => problem);
  writeFileSync(path, '');
  assert.deepEqual(await problems(), ['is empty']);
  writeFileSync(path, readFileSync(RECORDED));
  assert.deepEqual(await problems(), [null]);
  rmSync(path);
  assert.deepEqual(await problems(), []);
});

test('no name leads out of the folder', async (t) => {
  const outside = folderOf(t);
  writeFileSync(join(outside, 'secret.json'), readFileSync(RECORDED));
  const reports = join(outside, 'reports');
  mkdirSync(reports);
  symlinkSync(join(outside, 'secret.json'), join(reports, 'link.json'));
  const ask = await asker(t, { reports });
  assert.deepEqual((await ask('GET /reports')).body.reports, []);
  const names = [
    '..%2Fsecret.json',
    '%2e%2e%2fsecret.json',
    '..%5Csecret.json',
    '....%2F%2Fsecret.json',
    `${encodeURIComponent(join(outside, 'secret.json'))}`,
    'link.json',
    'secret.json',
    '.json',
    '..json',
    'a%00.json',
    'secret.json%00.json',
    '%F0%9F%92%A9.json',
    `${'a'.repeat(300)}.json`,
  ];
  for (const name of names) {
    const { status, body } = await ask(`GET /reports/${name}`);
    assert.ok([400, 404].includes(status), `${name}: ${status}`);
    assert.ok(!('document' in body), name);
  }
});

test('without a folder there is none to look at, and a folder that went away is told', async (t) => {
  const closed = await asker(t, {});
  assert.deepEqual((await closed('GET /reports')).body, { open: false, reports: [], more: 0 });
  assert.equal((await closed('GET /reports/a.json')).body.code, 'REPORT_UNKNOWN');
  const gone = await asker(t, { reports: join(folderOf(t), 'gone') });
  const { status, body } = await gone('GET /reports');
  assert.deepEqual([status, body.code], [503, 'REPORTS_UNREADABLE']);
  await assert.rejects(asker(t, { reports: 7 as never }), { code: 'OPTION_INVALID', message: /reports/ });
});

test('reports are for those who may look', async (t) => {
  const reports = folderOf(t);
  writeFileSync(join(reports, 'idle.json'), readFileSync(RECORDED));
  const token = 'look-0123456789abcdef';
  const ask = await asker(t, { reports, tokens: [{ token, role: 'look', name: 'wall' }] });
  for (const path of ['/reports', '/reports/idle.json']) {
    assert.equal((await ask(`GET ${path}`)).status, 401);
    assert.equal((await ask(`GET ${path}`, { headers: { authorization: `Bearer ${token}` } })).status, 200);
    assert.equal(
      (await ask(`DELETE ${path}`, { headers: { authorization: `Bearer ${token}` } })).status,
      405,
    );
  }
});
