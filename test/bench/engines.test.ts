import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { temporalFor } from '../connectors/temporal/server.ts';
import { bench, measured } from './bench-process.ts';

/** Small runs on a real server. What is asserted is what was done and said, never how fast. */

const SMALL = ['--works', '5', '--rate', '5', '--rate-seconds', '1', '--repeat', '1'];

describe('bench engines', () => {
  test("the engine's own worker and ours complete the same works, and are compared", async (t) => {
    const server = await temporalFor(t);
    if (server === null) return;
    const given = ['--engine', 'temporal', '--url', server.url, '--parts', 'throughput'];
    const { document } = await measured('engines', ...given, ...SMALL);
    assert.match(document.server, /^Temporal \d+\./);
    for (const figure of ['throughput', 'p95', 'cpuMsPerWork']) {
      const { own, ours, ratio } = document[figure];
      assert.ok(own.median > 0 && ours.median > 0, figure);
      assert.ok(Math.abs(ratio * own.median - ours.median) < ours.median / 1_000, figure);
    }
    const { blocked, cancelMs, cpuShare, tuner } = document;
    assert.deepEqual([blocked, cancelMs, cpuShare, tuner], [null, null, null, null]);
  });

  test('a server that is not there is named, with what was expected', async () => {
    const url = 'http://127.0.0.1:1/engine-rest';
    const { code, stdout, stderr } = await bench('engines', '--engine', 'operaton', '--url', url);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /no operaton answers at http:\/\/127.0.0.1:1\/engine-rest \(.*\); give --url as http:\/\/host:port/,
    );
  });
});
