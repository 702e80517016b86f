import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CellFigures, hostsOf, type LaneStrategy } from '../../bench/src/own-task/cell.ts';
import { recommend } from '../../bench/src/own-task/figures.ts';
import { hotFunctions } from '../../bench/src/own-task/hot-functions.ts';
import { kneeOf } from '../../bench/src/own-task/knee.ts';
import { nextCell, type PlanSettings } from '../../bench/src/own-task/plan.ts';
import { choose, noiseOf } from '../../bench/src/own-task/recommend.ts';
import { compare } from '../../bench/src/own-task/tally.ts';
import { wrapped } from '../../src/cli/text.ts';

const CORES = 4;
const SETTINGS: PlanSettings = {
  strategies: ['async', 'thread', 'process'],
  concurrencies: null,
  concurrencyMax: 512,
  prefetches: null,
  cores: CORES,
  p99Max: null,
};
const ADVICE = { cores: CORES, p99Max: null, concurrencyMax: 512, file: 'tasks/thumbnail.ts' };

interface Recorded {
  readonly jobsPerSecond: number;
  readonly p99: number;
  readonly mean?: number;
  readonly loopBusy?: number;
  readonly machineBusy?: number;
  readonly cpuCores?: number;
  readonly prefetchMax?: number;
  readonly loopDelay?: number;
  readonly memoryMb?: number;
}

function cell(strategy: LaneStrategy, concurrency: number, recorded: Recorded): CellFigures {
  const { jobsPerSecond, p99, mean = p99, machineBusy = 0.3, cpuCores = machineBusy * CORES } = recorded;
  const { loopBusy = 0.1, prefetchMax = 1_000, loopDelay = 1, memoryMb = 100 } = recorded;
  const jobs = Math.round(2 * jobsPerSecond);
  const runMs = { samples: jobs, mean, p50: mean, p95: p99, p99, p999: p99, max: p99, weak: [] };
  return {
    ...{
      strategy,
      concurrency,
      prefetchMax,
      ...hostsOf(concurrency, CORES),
      seconds: 2,
      jobs,
      jobsPerSecond,
    },
    ...{ runMs, runHistogram: '', cpuCores, machineBusy, loopBusy, memoryMb },
    loopDelayMs: { p99: loopDelay, max: 2 * loopDelay },
    counts: { enqueued: jobs, completed: jobs, unstarted: 0 },
  };
}

/** A job of 20 ms that computes, on four cores. */
const COMPUTES = [
  cell('async', 1, {
    jobsPerSecond: 49,
    p99: 22,
    mean: 20,
    loopBusy: 0.98,
    machineBusy: 0.27,
    loopDelay: 24,
  }),
  cell('async', 2, {
    jobsPerSecond: 49,
    p99: 22,
    mean: 20,
    loopBusy: 0.99,
    machineBusy: 0.27,
    loopDelay: 45,
  }),
  cell('thread', 2, { jobsPerSecond: 97, p99: 23, machineBusy: 0.52 }),
  cell('thread', 4, { jobsPerSecond: 188, p99: 25, machineBusy: 0.99, memoryMb: 180 }),
  cell('thread', 8, { jobsPerSecond: 190, p99: 51, machineBusy: 1, memoryMb: 190 }),
  cell('process', 2, { jobsPerSecond: 95, p99: 23, machineBusy: 0.53 }),
  cell('process', 4, { jobsPerSecond: 183, p99: 26, machineBusy: 0.99, memoryMb: 400 }),
  cell('process', 8, { jobsPerSecond: 181, p99: 55, machineBusy: 1, memoryMb: 410 }),
];

/** A job that waits for 50 ms. */
const WAITS = [
  cell('async', 1, { jobsPerSecond: 19.8, p99: 51, mean: 50, loopBusy: 0.01, machineBusy: 0.02 }),
  cell('async', 2, { jobsPerSecond: 39.5, p99: 51, mean: 50, loopBusy: 0.01, machineBusy: 0.02 }),
  cell('async', 8, { jobsPerSecond: 158, p99: 51, mean: 50, loopBusy: 0.03, machineBusy: 0.03 }),
  cell('async', 32, { jobsPerSecond: 630, p99: 52, mean: 50, loopBusy: 0.1, machineBusy: 0.06 }),
  cell('async', 128, { jobsPerSecond: 2_490, p99: 54, mean: 51, loopBusy: 0.3, machineBusy: 0.15 }),
  cell('async', 512, { jobsPerSecond: 8_900, p99: 71, mean: 57, loopBusy: 0.93, machineBusy: 0.4 }),
];

describe('the knee', () => {
  test('is where the event loop is full', () => {
    const knee = kneeOf(COMPUTES.slice(0, 2));
    assert.deepEqual([knee?.why, knee?.at.concurrency], ['loop', 1]);
  });

  test('is where the processor is full', () => {
    const knee = kneeOf(COMPUTES.slice(2, 5));
    assert.deepEqual([knee?.why, knee?.at.concurrency], ['cpu', 4]);
    assert.equal(kneeOf(COMPUTES.slice(2, 4)), null);
  });

  test('is where jobs get slower faster than more get done', () => {
    const cells = [
      cell('async', 8, { jobsPerSecond: 400, p99: 20 }),
      cell('async', 16, { jobsPerSecond: 500, p99: 70 }),
    ];
    assert.deepEqual([kneeOf(cells)?.why, kneeOf(cells)?.at.concurrency], ['p99', 8]);
  });

  test('is where the rate does not grow for two steps, though nothing seems full', () => {
    const rates = [100, 200, 203, 205];
    const cells = rates.map((jobsPerSecond, at) => cell('async', 2 ** at, { jobsPerSecond, p99: 10 + at }));
    assert.equal(kneeOf(cells.slice(0, 3)), null);
    assert.deepEqual([kneeOf(cells)?.why, kneeOf(cells)?.at.concurrency], ['flat', 2]);
  });

  test('is not there while the rate grows with the jobs', () => {
    for (let steps = 1; steps <= WAITS.length; steps += 1) assert.equal(kneeOf(WAITS.slice(0, steps)), null);
  });
});

describe('the plan', () => {
  test('climbs each strategy to its knee, then measures what is near the best again, then other prefetch', () => {
    const planned: string[] = [];
    const done: CellFigures[] = [];
    for (let next = nextCell(done, SETTINGS); next !== null; next = nextCell(done, SETTINGS)) {
      const { strategy, concurrency, prefetchMax } = next;
      planned.push(`${strategy} ${concurrency} ${prefetchMax}`);
      const known = COMPUTES.find((one) => one.strategy === strategy && one.concurrency === concurrency);
      assert.ok(known !== undefined, `${strategy} ${concurrency} is not needed`);
      done.push({ ...known, prefetchMax });
    }
    assert.deepEqual(planned, [
      ...['async 1 1000', 'async 2 1000'],
      ...['thread 2 1000', 'thread 4 1000', 'thread 8 1000'],
      ...['process 2 1000', 'process 4 1000', 'process 8 1000'],
      ...['thread 4 1000', 'thread 8 1000', 'process 4 1000'],
      ...['thread 4 0', 'thread 4 4'],
    ]);
  });

  test('takes large steps while nothing is full, and shows what a pool costs jobs that wait by one cell', () => {
    const steps = WAITS.map((_, at) => nextCell(WAITS.slice(0, at), SETTINGS)?.concurrency);
    assert.deepEqual(steps, [1, 2, 8, 32, 128, 512]);
    const pool = nextCell(WAITS, SETTINGS);
    assert.deepEqual(pool, { strategy: 'thread', concurrency: 512, prefetchMax: 1_000 });
    const slower = [...WAITS, cell('thread', 512, { jobsPerSecond: 7_000, p99: 90 })];
    assert.equal(nextCell(slower, SETTINGS)?.strategy, 'process');
  });

  test('does exactly what it is told', () => {
    const settings: PlanSettings = {
      ...SETTINGS,
      strategies: ['async'],
      concurrencies: [1, 8],
      prefetches: [0, 10],
    };
    const done: CellFigures[] = [];
    for (let next = nextCell(done, settings); next !== null; next = nextCell(done, settings))
      done.push(
        cell(next.strategy, next.concurrency, { jobsPerSecond: 10, p99: 100, prefetchMax: next.prefetchMax }),
      );
    const cells = done.map(({ concurrency, prefetchMax }) => [concurrency, prefetchMax]);
    assert.deepEqual(cells, [
      [1, 0],
      [8, 0],
      [1, 10],
      [8, 10],
    ]);
  });

  test('goes no further than the bound', () => {
    const settings = { ...SETTINGS, concurrencyMax: 128 };
    assert.equal(nextCell(WAITS.slice(0, 5), settings)?.strategy, 'thread');
  });
});

describe('the recommendation', () => {
  test('for a job that computes is as many threads as cores', () => {
    const { strategy, concurrency, why, paste } = recommend(COMPUTES, ADVICE);
    assert.deepEqual([strategy, concurrency], ['thread', 4]);
    assert.deepEqual(paste.settings, { strategy: 'thread', concurrency: 4, threads: 4 });
    assert.equal(
      paste.shell,
      'longshore work --tasks tasks/thumbnail.ts --strategy thread --concurrency 4 --threads 4',
    );
    assert.match(why[0] ?? '', /^A job keeps the event loop busy for 20 ms of its 20 ms: it computes\.$/);
    assert.ok(why.some((text) => /event loop is full, which is one core/.test(text)));
    assert.ok(
      why.includes('thread, 8 at a time, does 1 % more, with a p99 2.0 times as long.'),
      why.join('\n'),
    );
  });

  test('for a job that waits is the event loop, and warns of what it waits for', () => {
    const { strategy, concurrency, why, paste } = recommend(WAITS, ADVICE);
    assert.deepEqual([strategy, concurrency], ['async', 512]);
    assert.equal(paste.code, "longshore.worker({ tasks, strategy: 'async', concurrency: 512 });");
    assert.ok(why.some((text) => /must bear 512 at a time as well/.test(text)));
    assert.ok(why.some((text) => /--concurrency-max tries more/.test(text)));
  });

  test('keeps to a limit of p99, or says that nothing does', () => {
    assert.equal(choose(WAITS, 60)?.concurrency, 128);
    const { why, concurrency } = recommend(WAITS, { ...ADVICE, p99Max: 10 });
    assert.equal(concurrency, 1);
    assert.ok(why.some((text) => /^No way of running it keeps p99 within 10 ms/.test(text)));
  });

  test('prefers what leaves the event loop to others, where it is about as fast', () => {
    const blocks = cell('async', 2, { jobsPerSecond: 100, p99: 300, loopBusy: 1, loopDelay: 320 });
    const civil = cell('thread', 2, { jobsPerSecond: 95, p99: 300 });
    assert.equal(choose([blocks, civil], null)?.strategy, 'thread');
    assert.equal(choose([{ ...blocks, loopDelayMs: { p99: 5, max: 9 } }, civil], null)?.strategy, 'async');
  });

  test('changes prefetch where that is clearly faster, beyond the noise that was seen', () => {
    const slow = cell('async', 4, { jobsPerSecond: 1_000, p99: 4 });
    const none = cell('async', 4, { jobsPerSecond: 1_300, p99: 4, prefetchMax: 0 });
    assert.equal(recommend([slow, none], ADVICE).prefetchMax, 0);
    assert.match(recommend([slow, none], ADVICE).paste.code, /prefetchMax: 0/);
    const again = cell('async', 4, { jobsPerSecond: 1_500, p99: 4 });
    assert.equal(recommend([slow, none, again], ADVICE).prefetchMax, 1_000);
    assert.equal(noiseOf([slow, again, none]), 0.4);
  });

  test('says what cannot be trusted', () => {
    const noisy = [
      cell('async', 1, { jobsPerSecond: 10, p99: 90, machineBusy: 0.9, cpuCores: 1 }),
      cell('async', 1, { jobsPerSecond: 14, p99: 90, machineBusy: 0.9, cpuCores: 1 }),
    ];
    const { why, caution } = recommend(noisy, ADVICE);
    assert.ok(why.some((text) => /^Measured again, the rate differed by 33 %/.test(text)));
    assert.match(caution ?? '', /^Other programs took up to 65 % of the processor/);
    assert.equal(recommend(COMPUTES, ADVICE).caution, null);
  });
});

describe('the count of jobs', () => {
  test('is right when each ran once and is completed, and the others are ready', () => {
    assert.deepEqual(compare(['a', 'b'], { completed: 2, ready: 3, failed: 0 }, 5), {
      ...{ enqueued: 5, completed: 2, unstarted: 3 },
    });
  });

  for (const [what, runs, states, pattern] of [
    ['a second run', ['a', 'b', 'a'], { completed: 2, ready: 1 }, /ran 1 times more than it has jobs/],
    ['a job without a run', ['a'], { completed: 2, ready: 1 }, /ran for 1 jobs, and 2 are completed/],
    [
      'a job that is gone',
      ['a', 'b'],
      { completed: 2, ready: 0 },
      /3 jobs were enqueued, and 2 are completed and 0 ready/,
    ],
    ['a job in another state', ['a', 'b'], { completed: 2, ready: 1, failed: 1 }, /1 jobs are failed/],
  ] as const)
    test(`finds ${what}`, () => {
      const fault = compare(runs, states, 3);
      assert.ok('kind' in fault && fault.kind === 'miscounted');
      assert.match(fault.message, pattern);
    });
});

test('hot functions are summed over profiles by their own time, idle time aside', () => {
  const frame = (functionName: string, url: string, lineNumber: number) => ({
    ...{ functionName, url, lineNumber, columnNumber: 0, scriptId: '1' },
  });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', '', -1) },
      { id: 2, callFrame: frame('resize', 'file:///app/a.ts', 9), children: [4] },
      { id: 3, callFrame: frame('(idle)', '', -1) },
      { id: 4, callFrame: frame('', 'node:zlib', 99) },
    ],
    startTime: 0,
    endTime: 10_000,
    samples: [2, 3, 4, 2],
    timeDeltas: [0, 3_000, 5_000, 1_000, 0],
  };
  const hottest = hotFunctions(
    [profile, profile],
    10,
    (url, line) => `${url.replace('file:///app/', '')}:${line}`,
  );
  assert.deepEqual(hottest, [
    { name: 'resize', place: 'a.ts:10', calledFrom: null, share: 0.75, ms: 6 },
    {
      ...{ name: '(anonymous)', place: 'node:zlib:100', calledFrom: 'resize (a.ts:10)' },
      share: 0.25,
      ms: 2,
    },
  ]);
  assert.equal(hotFunctions([profile], 1, String).length, 1);
});

test('sentences are wrapped between words', () => {
  assert.equal(wrapped('one two three', 9, '  '), '  one two\n  three');
});
