/* global test, expect, describe */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, LongshoreError } from 'longshore';
import { double, fails, inThread } from './tasks.mjs';

/** One after the other and at once: many jobs cross the store's thread packed, a few as they are. */
const COUNTS = [1, 100];

for (const kind of ['memory', 'sqlite'])
  describe(`the ${kind} store under this runner`, () => {
    async function withStore(body) {
      const folder = mkdtempSync(join(tmpdir(), 'longshore-runner-'));
      const longshore = await connect(kind === 'memory' ? 'memory:' : `sqlite:${join(folder, 'jobs.db')}`);
      try {
        await body(longshore);
      } finally {
        await longshore.close();
        rmSync(folder, { recursive: true, force: true });
      }
    }

    test('runs jobs until none is left', () =>
      withStore(async (longshore) => {
        const worker = longshore.worker({ tasks: [double], concurrency: 4 });
        for (const count of COUNTS) {
          const inputs = Array.from({ length: count }, (_, index) => index);
          const jobs = await longshore.enqueueMany(double, inputs);
          const tally = await worker.runUntilIdle();
          expect(tally.completed).toBe(count);
          const results = await Promise.all(jobs.map((job) => job.result()));
          expect(results).toEqual(inputs.map((input) => input * 2));
        }
        expect((await longshore.health()).ok).toBe(true);
      }));

    test('takes dates of this realm, and keeps what is thrown in it', () =>
      withStore(async (longshore) => {
        const worker = longshore.worker({ tasks: [double, fails] });
        const later = await longshore.enqueue(double, 1, { at: new Date(Date.now() + 3_600_000) });
        const failing = await longshore.enqueue(fails, { at: new Date(0), list: [new Date(0)] });
        await worker.runUntilIdle();
        expect((await longshore.jobs.get(later.id)).state).toBe('scheduled');
        const { errors, input } = await longshore.jobs.get(failing.id);
        expect(input).toEqual({ at: '1970-01-01T00:00:00.000Z', list: ['1970-01-01T00:00:00.000Z'] });
        expect([errors[0].name, errors[0].message]).toEqual(['RangeError', 'out of range']);
        expect(errors[0].stack).toMatch(/caused by: TypeError: inner/);
        await expect(longshore.enqueue(double, new Map())).rejects.toThrow(LongshoreError);
      }));

    test('runs jobs in threads', () =>
      withStore(async (longshore) => {
        const worker = longshore.worker({ tasks: [inThread], threads: 1 });
        await worker.start();
        const job = await longshore.enqueue(inThread, 21);
        expect(await job.result()).toBe(42);
      }));
  });
