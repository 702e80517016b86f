import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import {
  generateLoad,
  type LoadReport,
  type LoadSettings,
  type LoadTarget,
} from '../../src/load/generate.ts';
import { Latencies } from '../../src/load/latencies.ts';
import { FakeClock } from '../../src/testing/fake-clock.ts';

const SETTINGS: LoadSettings = {
  concurrency: 10,
  total: 100,
  ratePerSecond: null,
  reportMs: 10_000,
  maxRunMs: 0,
};

/** A target whose units end after a time of the clock, or when they are told. */
class Site implements LoadTarget {
  readonly noun = 'Units';
  readonly clock = new FakeClock();
  readonly stop = new AbortController();
  readonly reports: LoadReport[] = [];
  readonly errors: string[] = [];
  readonly startedAt: number[] = [];
  most = 0;
  unitMs: number;
  fails: (number: number) => boolean = () => false;
  #underWay = 0;

  constructor(unitMs: number) {
    this.unitMs = unitMs;
  }

  run(number: number, signal: AbortSignal): Promise<void> {
    this.#underWay += 1;
    this.most = Math.max(this.most, this.#underWay);
    this.startedAt.push(this.clock.now());
    return new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      this.clock.after(this.unitMs, () => {
        this.#underWay -= 1;
        if (this.fails(number)) reject(new Error('refused'));
        else resolve();
      });
    });
  }

  async close(): Promise<void> {}

  generate(settings: Partial<LoadSettings>): Promise<LoadReport> {
    return generateLoad(
      this,
      { ...SETTINGS, ...settings },
      {
        clock: this.clock,
        stop: this.stop.signal,
        onReport: (report) => this.reports.push(report),
        onError: (message) => this.errors.push(message),
      },
    );
  }
}

describe('the load generator', () => {
  test('starts as many as it is to, some at a time, and tells the average', async () => {
    const site = new Site(1_000);
    const ended = site.generate({});
    await site.clock.advance(20_000);
    const report = await ended;
    assert.equal(site.most, 10);
    assert.deepEqual(
      {
        started: report.started,
        completed: report.completed,
        failed: report.failed,
        seconds: report.seconds,
        rate: report.rate,
      },
      { started: 100, completed: 100, failed: 0, seconds: 10, rate: 10 },
    );
  });

  test('without end it never has more under way than it may, and reports the rate since the last report', async () => {
    const site = new Site(1_000);
    const ended = site.generate({ total: null, concurrency: 4 });
    await site.clock.advance(10_500);
    site.unitMs = 2_000;
    await site.clock.advance(10_000);
    site.stop.abort();
    await site.clock.advance(2_000);
    const report = await ended;
    assert.equal(site.most, 4);
    assert.equal(site.reports.length, 2);
    assert.ok(site.reports[0] !== undefined && site.reports[0].rate > (site.reports[1]?.rate ?? 0));
    assert.equal(report.concurrent, 0);
    assert.equal(report.completed, report.started);
  });

  test('at a rate, the time of a unit counts from when it was to start', async () => {
    const site = new Site(500);
    const ended = site.generate({ ratePerSecond: 10, concurrency: 1, total: 3 });
    await site.clock.advance(5_000);
    const report = await ended;
    const [first = 0, ...others] = site.startedAt;
    assert.deepEqual(
      others.map((at) => at - first),
      [500, 1_000],
    );
    // Meant for 0, 100 and 200 ms; ended at 500, 1,000 and 1,500.
    assert.equal(report.latencyMs?.max, 1_300);
  });

  test('at a rate that the target can bear, units start at their times', async () => {
    const site = new Site(10);
    const ended = site.generate({ ratePerSecond: 20, total: 5 });
    await site.clock.advance(1_000);
    assert.equal((await ended).completed, 5);
    const [first = 0] = site.startedAt;
    assert.deepEqual(
      site.startedAt.map((at) => at - first),
      [0, 50, 100, 150, 200],
    );
  });

  test('after its longest time it starts nothing more', async () => {
    const site = new Site(1_000);
    const ended = site.generate({ total: null, maxRunMs: 3_500 });
    await site.clock.advance(10_000);
    const report = await ended;
    assert.equal(report.completed, 40);
    assert.equal(report.seconds, 4);
  });

  test('units that do not end are waited for a while after a stop, and are no failures', async () => {
    const site = new Site(Number.MAX_SAFE_INTEGER);
    const ended = site.generate({});
    await site.clock.advance(1_000);
    site.stop.abort();
    await site.clock.advance(5_000);
    const report = await ended;
    assert.deepEqual([report.started, report.completed, report.failed, report.seconds], [10, 0, 0, 6]);
  });

  test('units that fail are counted, told once, and do not make it go faster', async () => {
    const site = new Site(0);
    site.fails = () => true;
    const ended = site.generate({ total: null, concurrency: 1 });
    await site.clock.advance(10_000);
    site.stop.abort();
    await site.clock.advance(5_000);
    const report = await ended;
    assert.ok(report.failed > 1 && report.failed < 20, `${report.failed}`);
    assert.deepEqual(site.errors, ['refused']);
    assert.equal(report.latencyMs, null);
  });

  test('the pauses of units that failed leave nothing behind, and a stop ends them', async () => {
    const site = new Site(0);
    site.fails = () => true;
    const { signal } = site.stop;
    const ended = site.generate({ total: null, concurrency: 5 });
    await site.clock.advance(60_000);
    assert.ok(site.startedAt.length > 30);
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    site.stop.abort();
    await ended;
    assert.deepEqual([getEventListeners(signal, 'abort').length, site.clock.pending], [0, 0]);
  });

  test('after its longest time no pause of a failed unit is waited for', async () => {
    const site = new Site(0);
    site.fails = () => true;
    const ended = site.generate({ total: null, concurrency: 1, maxRunMs: 20_000 });
    await site.clock.advance(20_000);
    assert.equal((await ended).seconds, 20);
  });

  test('percentiles are right to one in a hundred', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 10_000; ms += 1) latencies.add(ms);
    const { p50 = 0, p95 = 0, p99 = 0, max } = latencies.summary() ?? {};
    for (const [found, exact] of [
      [p50, 5_000],
      [p95, 9_500],
      [p99, 9_900],
    ] as const)
      assert.ok(Math.abs(found / exact - 1) < 0.011, `${found} for ${exact}`);
    assert.equal(max, 10_000);
    assert.equal(new Latencies().summary(), null);
  });
});
