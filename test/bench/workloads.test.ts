import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { CATALOGUE } from '../../bench/src/workloads/catalogue.ts';
import { compute, computedAfter, joined, seedOf, shares } from '../../bench/src/workloads/computation.ts';
import { writeDurably, writtenChecksum } from '../../bench/src/workloads/io.ts';
import { jittered } from '../../bench/src/workloads/jitter.ts';
import { ownPeakBytes } from '../../bench/src/workloads/own-use.ts';
import { logRun, readRuns } from '../../bench/src/workloads/run-log.ts';
import { temporaryFolder } from './bench-process.ts';

test('where a computation ends is known without computing', () => {
  const steps = fc.integer({ min: 0, max: 5_000 });
  fc.assert(
    fc.property(fc.nat(1_000), steps, (n, iterations) => {
      assert.equal(computedAfter(seedOf(n), iterations), compute(seedOf(n), iterations));
    }),
  );
  assert.equal(computedAfter(seedOf(3), 1_234_567), compute(seedOf(3), 1_234_567));
});

test('a computation that stops a step early, or another job’s, ends elsewhere', () => {
  const right = computedAfter(seedOf(7), 10_000_000_000);
  assert.notEqual(computedAfter(seedOf(7), 9_999_999_999), right);
  assert.notEqual(computedAfter(seedOf(8), 10_000_000_000), right);
});

test('a computation may be interrupted anywhere', () => {
  assert.equal(compute(compute(seedOf(1), 1_500), 2_501), compute(seedOf(1), 4_001));
});

test('work that is shared out is as much as it was, from seeds that no other job has', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 8 }), (iterations, parts) => {
      const sum = shares(2, iterations, parts).reduce((all, share) => all + share.iterations, 0);
      assert.equal(sum, iterations);
    }),
  );
  const seeds = [0, 1, 2].flatMap((n) => shares(n, 100, 4).map(({ seed }) => seed));
  assert.equal(new Set(seeds).size, seeds.length);
  const parts = shares(5, 10_003, 4).map(({ seed, iterations }) => compute(seed, iterations));
  assert.equal(CATALOGUE.subprocess_threaded.expected(5, 10_003), joined(parts));
});

test('the checksum of a file is known without writing it', async (t) => {
  const path = join(temporaryFolder(t), 'file');
  for (const writes of [1, 15, 16, 17, 40]) {
    const file = await open(path, 'w+');
    await writeDurably(file, 3, writes);
    await file.close();
    assert.equal(crc32(readFileSync(path)), writtenChecksum(3, writes), `${writes} writes`);
    assert.notEqual(writtenChecksum(3, writes), writtenChecksum(3, writes + 1));
  }
});

test('jitter makes jobs differ by up to that share, each always by the same', () => {
  const amounts = jittered(10_000, 0.2, 1_000);
  assert.deepEqual(amounts, jittered(10_000, 0.2, 1_000));
  assert.ok(amounts.every((amount) => amount >= 8_000 && amount <= 12_000));
  assert.ok(new Set(amounts).size > 500);
  assert.deepEqual([jittered(10_000, 0, 1), jittered(0.001, 0, 1)], [[10_000], [1]]);
});

test('jobs with jitter are together as much work as without', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e9 }),
      share,
      fc.integer({ min: 1, max: 50 }),
      (amount, jitter, jobs) => {
        const amounts = jittered(amount, jitter, jobs);
        assert.equal(
          amounts.reduce((sum, one) => sum + one, 0),
          jobs * amount,
        );
        assert.ok(amounts.every((one) => one >= 1));
      },
    ),
  );
});

test('a log of runs leaves out what a killed process did not write whole', async (t) => {
  const folder = temporaryFolder(t);
  assert.deepEqual(readRuns(folder), []);
  const start = { type: 'start', n: 0, at: 1, lane: 'inline' } as const;
  logRun(folder, start);
  const file = await open(join(folder, 'runs.jsonl'), 'a');
  await file.write('{"type":"en');
  await file.close();
  assert.deepEqual(readRuns(folder), [start]);
});

test('the most memory of a process is at least what it has', () => {
  const now = process.memoryUsage.rss();
  assert.ok(ownPeakBytes() >= now * 0.9);
});
