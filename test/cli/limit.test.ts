import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sandbox } from './longshore.ts';

test('limit sets what it is told, shows the rest, and lifts a limit with none', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('add', '1');
  const steps: readonly (readonly [string[], string])[] = [
    [[], 'no limits'],
    [['--concurrency', '20', '--rate', '100/1s', '--per-key', '3'], '20 at a time, 100/1s, 3 per key'],
    [['--per-key-rate', '5/m'], '20 at a time, 100/1s, 3 per key, 5/1m per key'],
    [['--rate', 'none', '--per-key', 'none', '--ordered'], '20 at a time, keys in order, 5/1m per key'],
    [['--no-ordered', '--concurrency', 'none', '--per-key-rate', 'none'], 'no limits'],
    [['--ageing', '30s/-10'], 'ageing 30s/-10'],
    [['--rate', '3/1s'], '3/1s, ageing 30s/-10'],
    [['--rate', 'none', '--ageing', 'none'], 'no limits'],
  ];
  for (const [options, told] of steps) {
    const { code, stdout } = await sandbox.run(['limit', 'default', ...options]);
    assert.deepEqual([code, stdout], [0, `default: ${told}\n`]);
  }
  const { limits, ageing } = await sandbox.json<{ limits: unknown; ageing: unknown }>([
    ...['limit', 'default', '--rate', '7/250ms', '--ageing', '1m30s/0'],
  ]);
  assert.deepEqual(ageing, { everyMs: 90_000, floor: 0 });
  assert.deepEqual(limits, {
    concurrency: null,
    rate: { count: 7, perMs: 250 },
    perKey: { concurrency: null, ordered: false, rate: null },
  });
  assert.match((await sandbox.run(['queues'])).stdout, /LIMITS[\s\S]*7\/250ms/);
});

test('limits that make no sense are wrong usage', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.enqueue('add', '1');
  for (const options of [
    ['--rate', 'fast'],
    ['--rate', '0/1s'],
    ['--concurrency', '0'],
    ['--ordered', '--per-key', '2'],
    ['--ageing', '30s'],
    ['--ageing', '30s/low'],
    ['--ageing', '5ms/0'],
  ]) {
    const { code, stderr } = await sandbox.run(['limit', 'default', ...options]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /OPTION_INVALID/);
  }
  assert.equal((await sandbox.run(['limit', '*', '--concurrency', '1'])).code, 2);
});

test('jobs and job show the key, and who waits for its turn', async (context) => {
  const sandbox = new Sandbox(context);
  await sandbox.run(['enqueue', 'add', '1', '--key', 'acme']);
  await sandbox.run(['limit', 'default', '--ordered']);
  const { stdout: id } = await sandbox.run(['enqueue', 'add', '1', '--key', 'acme']);
  const { jobs } = await sandbox.json<{ jobs: { key: string; held: boolean }[] }>(['jobs']);
  assert.deepEqual(
    jobs.map(({ key, held }) => [key, held]),
    [
      ['acme', true],
      ['acme', false],
    ],
  );
  assert.match((await sandbox.run(['jobs'])).stdout, /ready \(held\)/);
  assert.match((await sandbox.run(['job', id.trim()])).stdout, /key +acme, waits for its turn/);
});
