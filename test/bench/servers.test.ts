import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { serverUrl } from '../servers.ts';
import { measured } from './bench-process.ts';

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

    onServer('the client libraries are compared', async (_t, server) => {
      const { document } = await measured('drivers', ...server, '--share', '0.001', '--repeat', '1');
      assert.deepEqual(
        Object.keys(document.drivers),
        kind === 'postgres' ? ['pg', 'pg, pipeline', 'postgres.js'] : ['@redis/client', 'ioredis'],
      );
    });
  });
}

test('without a URL a durable server is started, and stopped', async (t) => {
  if ((await serverUrl(t, 'redis')) === undefined) return;
  const args = ['--store', 'redis', '--fsync', 'always', '--seconds', '0.1'];
  const { document } = await measured('idle', ...args);
  const { own, durable, settings } = document.server;
  assert.deepEqual([own, durable, settings.appendfsync], [true, true, 'always']);
});
