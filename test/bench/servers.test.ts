import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import pg from 'pg';
import { serverUrl } from '../servers.ts';
import { bench, measured } from './bench-process.ts';

/** Small runs of what is measured on servers. What is asserted is what was done and said, never how fast. */
const KINDS = ['postgres', 'redis'] as const;

for (const kind of KINDS) {
  describe(`bench on ${kind}`, () => {
    const onServer = (name: string, work: (t: TestContext, args: string[]) => Promise<void>): void => {
      test(name, async (t) => {
        const url = await serverUrl(t, kind);
        if (url !== undefined) await work(t, ['--store', kind, '--url', url]);
      });
    };

    onServer('burndown beside the loop by hand, with the settings of the server', async (_t, server) => {
      const args = ['--jobs', '600', '--warmup', '100', '--repeat', '1'];
      const { document } = await measured('burndown', ...server, ...args);
      const [{ pipeline, ceiling, groupCommit }] = document.runs;
      assert.deepEqual([pipeline.counts.completed, ceiling.counts.completed], [600, 600]);
      assert.equal(groupCommit.counts.completed, 1_100);
      assert.deepEqual(Object.keys(document.ratio), ['enqueue', 'process']);
      assert.deepEqual([document.server.kind, document.server.own], [kind, false]);
      const { settings } = document.server;
      const expected =
        kind === 'postgres' ? ['fsync', 'synchronous_commit'] : ['appendonly', 'maxmemory-policy'];
      for (const name of expected) assert.equal(typeof settings[name], 'string', name);
    });

    onServer('latency beside a bare commit that another process hears of', async (_t, server) => {
      const args = ['--rate', '100', '--seconds', '0.6', '--warmup', '0.2', '--processes', '2', '--rivals'];
      const { document } = await measured('latency', ...server, ...args);
      assert.equal(document.pickup.twoProcesses.samples, 60);
      assert.deepEqual([document.handover.samples, document.commit], [60, null]);
      assert.deepEqual(Object.keys(document.pickupToHandover), ['p50', 'p95', 'p99']);
      const rivals = Object.entries(document.rivals as Record<string, { samples: number }>);
      assert.ok(rivals.length > 0);
      for (const [name, { samples }] of rivals) assert.equal(samples, 60, name);
    });

    onServer('several processes share a queue', async (_t, server) => {
      const args = ['--jobs', '600', '--processes', '3', '--warmup', '50', '--repeat', '1'];
      const { document } = await measured('fleet', ...server, ...args);
      const shares: number[] = document.runs[0][0].shares;
      assert.deepEqual([shares.length, shares.reduce((sum, share) => sum + share, 0)], [3, 600]);
    });

    onServer('versus runs every system on the same jobs and gives ratios', async (_t, server) => {
      const args = ['--jobs', '300', '--warmup', '50', '--repeat', '1', '--queued', '500'];
      const { document } = await measured('versus', ...server, ...args);
      const [longshore, ...others] = Object.keys(document.systems);
      assert.equal(longshore, 'longshore');
      for (const name of [longshore, ...others]) assert.equal(document.runs[0][name].counts.completed, 300);
      const rivals = others.filter((name) => !name.startsWith('longshore'));
      assert.deepEqual(Object.keys(document.ratio), rivals);
      if (kind === 'postgres') assert.equal(document.queuedBytes, null);
      else assert.deepEqual(Object.keys(document.queuedBytes.bytesPerJob), ['longshore', 'bullmq']);
    });

    const rival = kind === 'postgres' ? 'graphile-worker' : 'bullmq';
    onServer(`versus fails and gives no figures when a job of ${rival} is lost`, async (_t, server) => {
      const args = ['--systems', rival, '--jobs', '50', '--warmup', '0', '--repeat', '1', '--queued', '0'];
      const { code, stdout, stderr } = await bench(
        'versus',
        ...server,
        ...args,
        '--json',
        '--sabotage',
        'lost',
      );
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, new RegExp(`^bench versus: ${rival}: .*1 jobs never ran`, 'm'));
    });

    onServer('the client libraries are compared', async (_t, server) => {
      const { document } = await measured('drivers', ...server, '--share', '0.001', '--repeat', '1');
      assert.deepEqual(
        Object.keys(document.drivers),
        kind === 'postgres' ? ['pg', 'pg, pipeline', 'postgres.js'] : ['@redis/client', 'ioredis'],
      );
    });
  });
}

test('claim-cost on PostgreSQL compares fresh, full and pinned tables, and leaves no schema behind', async (t) => {
  const url = await serverUrl(t, 'postgres');
  if (url === undefined) return;
  const before = await schemas(url);
  const args = ['--store', 'postgres', '--url', url, '--jobs', '200', '--finished', '1000'];
  const { document } = await measured('claim-cost', ...args);
  assert.deepEqual(Object.keys(document.rates.longshore), ['fresh', 'finished', 'snapshot']);
  assert.deepEqual(Object.keys(document.ratio['graphile-worker']), ['snapshot']);
  assert.deepEqual(await schemas(url), before);
});

test('without a URL a durable server is started, and stopped', async (t) => {
  if ((await serverUrl(t, 'redis')) === undefined) return;
  const args = ['--store', 'redis', '--fsync', 'always', '--jobs', '100', '--warmup', '0', '--repeat', '1'];
  const { document } = await measured('burndown', ...args);
  const { own, durable, settings } = document.server;
  assert.deepEqual([own, durable, settings.appendfsync], [true, true, 'always']);
});

async function schemas(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench\\_%'");
  await client.end();
  return rows.map(({ nspname }) => nspname).sort();
}
