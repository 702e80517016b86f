import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { withSite } from '../../bench/src/open-site.ts';
import type { WorkReport } from '../../bench/src/programs/scenario.ts';
import { Progress } from '../../bench/src/progress.ts';
import { amounts } from '../../bench/src/scenarios/calibration.ts';
import { figures, statistics } from '../../bench/src/scenarios/figures.ts';
import { runScenario } from '../../bench/src/scenarios/run-scenario.ts';
import { type Scenario, type ScenarioResult, WORKLOADS } from '../../bench/src/scenarios/scenario.ts';
import { type Findings, verify } from '../../bench/src/scenarios/verify.ts';
import { CATALOGUE } from '../../bench/src/workloads/catalogue.ts';
import type { RunRecord } from '../../bench/src/workloads/run-log.ts';
import { Workspace } from '../../bench/src/workspace.ts';
import { temporaryFolder } from './bench-process.ts';

/** Little work, whatever the machine. */
const CALIBRATION = { cpuIterationsPerSecond: 1_000_000, ioWritesPerSecond: 100 };

const SCENARIO: Scenario = {
  suite: 'test',
  phase: 'test',
  name: 'test',
  strategy: 'async',
  workload: 'cpu',
  jobs: 3,
  concurrency: 2,
  workSeconds: 0.05,
  jitter: 0.5,
  repeats: 1,
  timeoutSeconds: 60,
  jobTimeoutMs: 30_000,
};

describe('scenarios', { concurrency: 2 }, () => {
  const lanes = { async: 'inline', thread: 'thread', process: 'process' } as const;
  for (const workload of WORKLOADS) {
    for (const [strategy, lane] of Object.entries(lanes)) {
      test(`${workload} gives the right results with the strategy ${strategy}`, async (t) => {
        const result = await measure(t, { workload, strategy: strategy as 'async' });
        assert.deepEqual([result.status, result.error], ['completed', null]);
        const [run] = result.runs;
        assert.deepEqual(run?.lanes, { [lane]: 3 });
        assert.deepEqual([run?.completed, run?.redeliveries, run?.leaseLosses], [3, 0, 0]);
        assert.deepEqual([run?.waitMs.samples, run?.runMs.samples, run?.endedSeconds.length], [3, 3, 3]);
        const total = amounts({ ...SCENARIO, workload }, CALIBRATION).reduce((sum, amount) => sum + amount);
        assert.deepEqual(run?.work, { unit: CATALOGUE[workload].unit, amount: total });
        const hasChildren = strategy === 'process' || workload.startsWith('subprocess');
        assert.equal((run?.memoryMb.childrenPeak ?? 0) > 0, hasChildren);
        assert.ok(
          (run?.cpuSeconds ?? 0) > 0 && (run?.memoryMb.peak ?? 0) >= (run?.memoryMb.before ?? 0) * 0.9,
        );
      });
    }
  }

  test('auto says where it put the jobs, and why', async (t) => {
    const result = await measure(t, { strategy: 'auto', jobs: 6, workSeconds: 0.001 });
    assert.equal(result.status, 'completed', result.error ?? '');
    // Which it is, is a matter of time, and no business of this test.
    const [{ lane, reason } = assert.fail('no choice')] = result.runs[0]?.choices ?? [];
    assert.match(reason, lane === 'inline' ? /^light: .* over 5 jobs$/ : /^heavy: .* over 5 jobs$/);
  });

  test('repeats are measured one by one, and summed up', async (t) => {
    const result = await measure(t, { repeats: 2 });
    assert.equal(result.runs.length, 2);
    const rates = result.runs.map(({ jobsPerSecond }) => jobsPerSecond);
    assert.equal(result.jobsPerSecond?.min, Math.min(...rates));
    assert.equal(result.jobsPerSecond?.max, Math.max(...rates));
  });

  test('a job that fails, fails the scenario with its error', async (t) => {
    const result = await measure(t, {
      strategy: 'thread',
      workSeconds: 1_000_000,
      jobs: 1,
      jobTimeoutMs: 20,
    });
    failed(result, /^of 1 jobs, 1 are failed in the store \(LongshoreError: .*20 ms/);
    assert.equal(result.completed, 0);
  });

  for (const [workload, workSeconds] of [
    ['cpu', 10],
    ['io', 0.5],
  ] as const)
    test(`a job of ${workload} that nothing stops on the event loop fails the scenario, too, when it takes too long`, async (t) => {
      // Ten million steps, 50 synced writes: neither is done within a millisecond anywhere.
      const result = await measure(t, { workload, workSeconds, jobs: 1, jitter: 0, jobTimeoutMs: 1 });
      failed(result, /^of 1 jobs, 1 completed after the job's timeout of 1 ms \(e\.g\. number 0\)$/);
    });

  test('a scenario whose time is up is stopped and fails', async (t) => {
    const result = await measure(t, { strategy: 'process', workSeconds: 1_000_000, timeoutSeconds: 3 });
    failed(
      result,
      /^The program 'scenario' did not end within 3 s and was killed\. By then 0 of 3 jobs had ended\.$/,
    );
    assert.deepEqual(result.runs, []);
  });

  for (const [sabotage, complaint] of [
    ['lost', /1 are not in the store; 1 never started \(e\.g\. number 0\)/],
    ['repeated', /1 started more than once \(e\.g\. number 0\)/],
    ['wrong', /1 returned a wrong result \(e\.g\. number 0\)/],
  ] as const) {
    test(`a ${sabotage} job fails the scenario`, async (t) => {
      failed(await measure(t, {}, { sabotage }), complaint);
    });
  }

  test('an interruption is no result', async (t) => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await assert.rejects(measure(t, {}, { signal }), reason);
  });
});

test('the work of a job is its seconds at the calibrated rate', () => {
  const plain = { ...SCENARIO, jitter: 0, workSeconds: 2 };
  assert.deepEqual(amounts(plain, CALIBRATION), [2_000_000, 2_000_000, 2_000_000]);
  assert.deepEqual(amounts({ ...plain, workload: 'io' }, CALIBRATION), [200, 200, 200]);
});

test('what is settled is checked against what the handlers say', () => {
  assert.equal(verify(findings(2)).error, null);
  const unrun = findings(2, { records: [...records(0), { type: 'start', n: 1, at: 3, lane: 'inline' }] });
  assert.match(verify(unrun).error ?? '', /^of 2 jobs, 1 completed without having run to its end/);
  const twice = verify(findings(2, { records: [...records(0), ...records(1), ...records(1)] }));
  assert.deepEqual([twice.redeliveries, twice.completed], [1, 2]);
  assert.match(twice.error ?? '', /^of 2 jobs, 1 started more than once \(e\.g\. number 1\)$/);
});

test('jobs that are not completed are told by their state', () => {
  const { report } = findings(3);
  const [right] = report.jobs;
  const jobs = [
    right,
    { state: 'failed', result: null, error: 'Error: no' },
    { state: 'running', result: null, error: null },
  ];
  const verdict = verify(findings(3, { report: { ...report, jobs } as WorkReport }));
  assert.equal(verdict.completed, 1);
  assert.equal(verdict.error, 'of 3 jobs, 1 are failed in the store (Error: no); 1 are running in the store');
});

test('processes count once, by their last word, and together while they live at the same time', () => {
  const use = (pid: number, startedAt: number, endedAt: number, megabytes: number) => ({
    pid,
    startedAt,
    endedAt,
    cpuMicros: endedAt * 1_000,
    peakBytes: megabytes * 2 ** 20,
  });
  const end = { type: 'end', n: 0, at: 5, child: null } as const;
  const found = findings(3, {
    records: [
      { ...end, host: use(1, 0, 10, 40) },
      { ...end, n: 1, host: use(1, 0, 30, 50), child: use(7, 11, 19, 30) },
      { ...end, n: 2, host: null, child: use(8, 20, 25, 30) },
    ],
  });
  const run = figures(found, verify(found));
  assert.equal(run.memoryMb.childrenPeak, 80);
  // 1 ms of the worker, 30 of the host, 19 and 25 of two children.
  assert.equal(run.cpuSeconds, 0.075);
});

test('a host of the process lane lives on after its last job, beside those that start later', () => {
  const host = { cpuMicros: 1_000, peakBytes: 40 * 2 ** 20 };
  const end = { type: 'end', at: 5, child: null } as const;
  const found = findings(2, {
    records: [
      { ...end, n: 0, host: { ...host, pid: 1, startedAt: 0, endedAt: 10 } },
      { ...end, n: 1, host: { ...host, pid: 2, startedAt: 20, endedAt: 30 } },
    ],
  });
  assert.equal(figures(found, verify(found)).memoryMb.childrenPeak, 80);
});

test('statistics over repeats have the deviation of a sample', () => {
  assert.deepEqual(statistics([1, 2, 6]), { median: 2, min: 1, max: 6, average: 3, deviation: 2.646 });
  assert.equal(statistics([4]).deviation, null);
});

async function measure(
  t: TestContext,
  change: Partial<Scenario>,
  context: { sabotage?: 'lost' | 'repeated' | 'wrong'; signal?: AbortSignal } = {},
): Promise<ScenarioResult> {
  const workspace = new Workspace(temporaryFolder(t));
  const signal = context.signal ?? new AbortController().signal;
  const bench = { workspace, signal, progress: new Progress(), profile: null };
  const result = await withSite({ store: 'sqlite' }, bench, (site) =>
    runScenario({ ...SCENARIO, ...change }, { ...bench, ...context, calibration: CALIBRATION, site }),
  );
  assert.deepEqual(readdirSync(workspace.folder), [], 'nothing is left behind');
  return result;
}

function failed(result: ScenarioResult, error: RegExp): void {
  assert.equal(result.status, 'failed');
  assert.match(result.error ?? '', error);
  assert.deepEqual([result.totalSeconds, result.jobsPerSecond], [null, null]);
}

/** Of jobs that all did what they should. */
function findings(jobs: number, change: Partial<Findings> = {}): Findings {
  const work = new Array<number>(jobs).fill(100);
  const { expected } = CATALOGUE.cpu;
  const report: WorkReport = {
    startedAt: 0,
    finishedAt: 1_000,
    jobs: work.map((amount, n) => ({ state: 'completed', result: expected(n, amount), error: null })),
    lost: 0,
    eventLoopDelayMs: { p50: 0, p95: 0, p99: 0, max: 0, samples: 0 },
    cpuMicros: 1_000,
    bytesBefore: 0,
    peakBytes: 0,
    choices: [],
  };
  const found = { workload: 'cpu', amounts: work, jobTimeoutMs: 30_000, report } as const;
  return { ...found, records: work.flatMap((_, n) => records(n)), ...change };
}

function records(n: number): RunRecord[] {
  return [
    { type: 'start', n, at: 1, lane: 'inline' },
    { type: 'end', n, at: 2, host: null, child: null },
  ];
}
