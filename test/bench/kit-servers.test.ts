/** The kit on servers: every system runs each job once, servers die and lose none, and what is missing here is skipped. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { installCelery } from '../../bench/src/kit/celery.ts';
import { serverUrl } from '../servers.ts';
import { temporaryFolder } from './bench-process.ts';
import { onlyCell, run } from './kit-run.ts';

for (const [kind, systems] of [
  [
    'postgres',
    [
      'longshore',
      'longshore, deleting',
      'hand-written loop',
      'graphile-worker',
      'pg-boss',
      'dbos',
      'bullmq on postgres',
    ],
  ],
  ['redis', ['longshore', 'longshore, deleting', 'hand-written loop', 'bullmq', 'bullmq, deleting']],
] as const)
  describe(`the kit on ${kind}`, () => {
    test('every system runs the same jobs, each once', async (t) => {
      const url = await serverUrl(t, kind);
      if (url === undefined) return;
      const settings = { store: kind, jobs: 60, warmup: 20, batch: 20, concurrency: 10, handler: 'wait-1' };
      const { document, code, stderr } = await run(
        t,
        [{ trial: 'burn', with: settings, matrix: { system: systems } }],
        '--url',
        url,
      );
      for (const { id, status, reason } of document.cells) assert.equal(status, 'done', `${id}: ${reason}`);
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        document.systems.map(({ name }) => name),
        systems,
      );
      for (const { durability, retention, version } of document.systems)
        assert.ok(durability !== '' && retention !== '' && version !== 'unknown');
      assert.equal(document.servers[0]?.own, false);
    });

    test('flows of others run in the shapes that they have, and others are skipped', async (t) => {
      const url = await serverUrl(t, kind);
      if (url === undefined) return;
      const system = kind === 'postgres' ? ['pg-boss', 'dbos'] : ['bullmq'];
      const settings = { store: kind, rate: 20, runs: 4, warmup: 1 };
      const group = { trial: 'flow', with: settings, matrix: { system, shape: ['linear3', 'conditional'] } };
      const { document } = await run(t, [group], '--url', url);
      for (const { id, status, reason, workload } of document.cells)
        assert.equal(status, workload.shape === 'linear3' ? 'done' : 'skipped', `${id}: ${reason}`);
    });

    test('the server dies in the middle of the jobs, and none is lost', async (t) => {
      if ((await serverUrl(t, kind)) === undefined) return;
      const settings = { store: kind, victim: 'server', rate: 100, seconds: 1, leaseMs: 1_000 };
      const group = { trial: 'recover', with: { ...settings, warmup: 20, handler: 'wait-50' } };
      const { status, reason, figures } = onlyCell(await run(t, [group]));
      assert.equal(status, 'done', reason);
      assert.ok((figures.downMs?.values[0] ?? 0) > 0);
      const lost = await run(t, [group], '--sabotage', 'lost');
      assert.match(String(onlyCell(lost).reason), /after the server was killed: of 100 jobs/);
    });

    test('a server that others use is not killed', async (t) => {
      const url = await serverUrl(t, kind);
      if (url === undefined) return;
      const settings = { store: kind, victim: 'server', rate: 100, seconds: 0.1 };
      const ran = await run(t, [{ trial: 'recover', with: settings }], '--url', url);
      assert.deepEqual([onlyCell(ran).status, ran.code], ['skipped', 0]);
    });

    test('a job of another system that is lost fails the run', async (t) => {
      const url = await serverUrl(t, kind);
      if (url === undefined) return;
      const system = kind === 'postgres' ? 'graphile-worker' : 'bullmq';
      const settings = { store: kind, system, jobs: 20, warmup: 0 };
      const ran = await run(t, [{ trial: 'burn', with: settings }], '--url', url, '--sabotage', 'lost');
      assert.equal(ran.code, 1);
      assert.match(String(onlyCell(ran).reason), new RegExp(`^${system}: .*1 jobs never ran`));
    });
  });

test('Celery runs its jobs where there is Python, and else says what it lacks', async (t) => {
  const url = await serverUrl(t, 'redis');
  if (url === undefined) return;
  const settings = { store: 'redis', system: 'celery', jobs: 60, warmup: 20, batch: 20 };
  const ran = await run(t, [{ trial: 'burn', with: settings }], '--url', url);
  const { status, reason = '' } = onlyCell(ran);
  assert.equal(ran.code, 0, ran.stderr);
  if (status === 'skipped') {
    assert.match(reason, /^Celery needs python3 with venv and pip, and PyPI: ./);
    return t.skip(reason);
  }
  assert.equal(status, 'done', reason);
});

test('where Python is missing, Celery is left out with a line', async (t) => {
  const signal = AbortSignal.timeout(60_000);
  const path = process.env.PATH;
  process.env.PATH = temporaryFolder(t);
  t.after(() => {
    process.env.PATH = path;
  });
  const notes: string[] = [];
  const context = { progress: { note: (text: string) => notes.push(text) }, signal };
  const folder = join(temporaryFolder(t), 'celery');
  await assert.rejects(installCelery(context, folder), {
    name: 'Skipped',
    message: /^Celery needs python3 with venv and pip, and PyPI: .*python3/,
  });
  assert.match(notes.join(), /installing Celery/);
});

for (const strategy of ['thread', 'process'])
  test(`BullMQ's sandboxed processors run each job once: ${strategy}`, async (t) => {
    const url = await serverUrl(t, 'redis');
    if (url === undefined) return;
    const settings = {
      store: 'redis',
      system: 'bullmq',
      strategy,
      jobs: 40,
      warmup: 10,
      batch: 20,
      hosts: 2,
    };
    const ran = await run(t, [{ trial: 'burn', with: settings }], '--url', url);
    assert.equal(onlyCell(ran).status, 'done', onlyCell(ran).reason);
    const lost = await run(t, [{ trial: 'burn', with: settings }], '--url', url, '--sabotage', 'lost');
    assert.match(String(onlyCell(lost).reason), /1 jobs never ran/);
  });
