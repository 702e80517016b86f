import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compare, laterRate } from '../../bench/src/scenarios/compare.ts';
import { MODES, scenariosOf, settingsOf } from '../../bench/src/scenarios/modes.ts';
import type { ScenarioResult } from '../../bench/src/scenarios/scenario.ts';
import { bench, measured, temporaryFolder } from './bench-process.ts';

const OPTIONS = { workSeconds: 3, jobTimeout: 30_000, jitter: 0 };

describe('bench work', { concurrency: 2 }, () => {
  test('all strategies are compared, in rounds, with work as calibrated', async () => {
    const args = ['benchmark', '--jobs', '3', '--work-seconds', '0.01', '--repeat', '2'];
    const { document } = await measured('work', ...args);
    const names = document.results.map(({ name }: { name: string }) => name);
    assert.deepEqual(names, ['cpu_async', 'cpu_thread', 'cpu_process', 'cpu_auto']);
    const perJob = Math.round(0.01 * document.calibration.cpuIterationsPerSecond);
    const { cpuIterationsPerSecond: rounds } = document.calibration.rounds;
    assert.equal(rounds.median, document.calibration.cpuIterationsPerSecond);
    for (const { status, runs, completed } of document.results) {
      assert.deepEqual([status, completed, runs.length], ['completed', 3, 2]);
      for (const run of runs) assert.deepEqual(run.work, { unit: 'iterations', amount: 3 * perJob });
    }
    const [{ workload, autoToBest }] = document.comparisons;
    assert.deepEqual([workload, autoToBest.afterTen], ['cpu', null]);
    assert.ok(autoToBest.whole.median > 0);
    assert.deepEqual([document.settings.mode, document.settings.concurrency], ['benchmark', 10]);
  });

  test('a table says how each did, and auto beside the best', async () => {
    const { code, stdout, stderr } = await bench('work', 'multi', '--work-seconds', '0.01');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^cpu_thread +[\d.]+ .* thread 1$/m);
    const sentence =
      /^cpu: \w+ is fastest; auto has [\d.]+ of the rate of \w+; after ten jobs: that takes 30 jobs to tell$/m;
    assert.match(stdout, sentence);
  });

  for (const [sabotage, complaint] of [
    ['lost', 'never started'],
    ['repeated', 'started more than once'],
    ['wrong', 'returned a wrong result'],
  ] as const) {
    test(`a ${sabotage} job fails it, and there are no figures`, async () => {
      const args = ['quick', '--strategy', 'async', '--work-seconds', '0.01', '--sabotage', sabotage];
      const { code, stdout, stderr } = await bench('work', ...args, '--json');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, new RegExp(`^bench work: cpu_async 1/1: of 5 jobs, .*1 ${complaint}`, 'm'));
    });
  }

  test('a run that takes too long fails it', async () => {
    const args = ['quick', '--strategy', 'thread', '--work-seconds', '30', '--timeout', '3'];
    const { code, stdout, stderr } = await bench('work', ...args, '--json');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^bench work: cpu_thread 1\/1: .*did not end within 3 s/m);
  });

  test('an unknown mode is refused with those there are', async () => {
    const { code, stderr } = await bench('work', 'fast');
    assert.equal(code, 1);
    assert.match(stderr, /Allowed choices are default, quick, benchmark, benchmark-workloads/);
    // The fault is what the terminal shows last, not a page of options.
    assert.ok(stderr.trim().split('\n').length <= 3, stderr);
  });

  test('its help says what each mode measures', async () => {
    const { stdout } = await bench('work', '--help');
    assert.match(stdout, /^ {2}stress +cpu; auto; 100 jobs, 50 at once, 3 times$/m);
    assert.match(stdout, /^ {2}multi +cpu; all strategies; 1 job, once$/m);
  });

  test('what cannot be saved, or has no meaning, is refused before anything is measured', async (t) => {
    const folder = temporaryFolder(t);
    const refusals = [
      [['--output', folder], 'that is a folder; expected the name of a file'],
      [['--output', `${folder}/none/work.json`], 'there is no folder .*none; make it'],
      [['--fsync', 'always'], '--fsync is of a Redis that is started here'],
    ] as const;
    for (const [args, complaint] of refusals) {
      const { code, stdout, stderr } = await bench('work', ...args);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, new RegExp(`^bench work: .*${complaint}`));
    }
  });
});

test('options go before what the mode says', () => {
  assert.deepEqual(
    scenariosOf(settingsOf('benchmark-workloads', OPTIONS)).map(({ name }) => name),
    ['cpu', 'io'].flatMap((workload) =>
      ['async', 'thread', 'process', 'auto'].map((strategy) => `${workload}_${strategy}`),
    ),
  );
  const { stress } = MODES;
  const given = { ...OPTIONS, jobs: 7, strategy: 'thread', workload: 'io', repeat: 2 } as const;
  const [only, ...others] = scenariosOf(settingsOf('stress', given));
  assert.deepEqual(others, []);
  assert.deepEqual(
    [only?.jobs, only?.strategy, only?.workload, only?.repeats, only?.concurrency],
    [7, 'thread', 'io', 2, stress.concurrency],
  );
  assert.equal(settingsOf('load', { ...OPTIONS, timeout: 5 }).timeout, 5);
});

test('the rate after ten jobs is that of the others, from the end of the tenth', () => {
  const ends = [...new Array<number>(10).fill(4), 4.5, 5, 5.5, 6];
  assert.equal(laterRate({ endedSeconds: ends }), 2);
});

test('after ten jobs auto is compared only where enough jobs are left', () => {
  // Two jobs of a burst of ten that end right after the tenth: no rate of anything.
  const burst = [...new Array<number>(10).fill(4), 4.01, 4.02];
  assert.equal(compare([later('async', burst), later('auto', burst)])[0]?.autoToBest?.afterTen, null);
  const seconds = Array.from({ length: 30 }, (_, n) => n + 1);
  const slower = seconds.map((second) => (second <= 10 ? second : 10 + 2 * (second - 10)));
  const [{ autoToBest } = assert.fail()] = compare([later('async', seconds), later('auto', slower)]);
  assert.deepEqual(autoToBest?.afterTen, { best: 'async', median: 0.5, min: 0.5, max: 0.5 });
});

function later(strategy: string, endedSeconds: readonly number[]): ScenarioResult {
  const runs = [{ jobsPerSecond: 1, endedSeconds }];
  return { strategy, workload: 'cpu', jobs: endedSeconds.length, concurrency: 10, runs } as never;
}

test('auto is compared with the best fixed strategy of the same round', () => {
  const results = [result('async', [10, 30, 20]), result('thread', [5, 5, 50]), result('auto', [9, 33, 20])];
  const [{ fastest, autoToBest } = assert.fail()] = compare(results);
  assert.equal(fastest, 'async');
  assert.deepEqual(autoToBest?.whole, { best: 'async', median: 1, min: 0.9, max: 1.1 });
  assert.equal(autoToBest?.afterTen, null);
  assert.deepEqual(
    compare([result('thread', [1])]).map((one) => one.autoToBest),
    [null],
  );
});

function result(strategy: string, rates: readonly number[]): ScenarioResult {
  const runs = rates.map((jobsPerSecond) => ({ jobsPerSecond, endedSeconds: [] }));
  return { strategy, workload: 'cpu', jobs: 3, concurrency: 10, runs } as unknown as ScenarioResult;
}
