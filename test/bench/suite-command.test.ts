import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeSuite } from '../../bench/src/suites/suite.ts';
import { type AnyDocument, bench, measured, temporaryFolder } from './bench-process.ts';

const MAIN = fileURLToPath(new URL('../../bench/src/main.ts', import.meta.url));

/** A hundredth of the work: what is asserted is what was done and said, never how fast. */
const LITTLE = ['--scale', '0.01'];

const GOOD = {
  phase: 'one',
  name: 'good',
  strategy: 'async',
  workload: 'cpu',
  jobs: 4,
  concurrency: 2,
  workSeconds: 0.002,
  jitter: 0.5,
  repeats: 2,
  timeoutSeconds: 60,
  jobTimeoutMs: 30_000,
};

/** Nothing starts and ends in so little time. */
const TIMED_OUT = { ...GOOD, name: 'too-long', workSeconds: 3_600, timeoutSeconds: 1 };

describe('bench suite', { concurrency: 2 }, () => {
  test('runs a suite; what it saved is what it prints', async (t) => {
    const folder = temporaryFolder(t);
    const args = ['minimal', ...LITTLE, '--output', join(folder, 'results'), '--dir', folder];
    const { document, text } = await measured('suite', ...args);

    const [file = '', ...others] = readdirSync(join(folder, 'results'));
    assert.match(file, /^minimal_\d{8}_\d{6}\.json$/);
    assert.deepEqual([others, readdirSync(folder)], [[], ['results']], 'nothing else is left behind');
    assert.equal(readFileSync(join(folder, 'results', file), 'utf8'), text);
    const { totals, results } = document;
    assert.deepEqual([document.suite, document.state, document.failed], ['minimal', 'finished', []]);
    assert.deepEqual([totals.scenarios, totals.run, totals.completed, totals.failed], [2, 2, 2, 0]);
    assert.ok(
      totals.elapsedSeconds > 0 && Date.parse(document.generatedAt) >= Date.parse(document.startedAt),
    );
    assert.ok(document.calibration.cpuIterationsPerSecond > 0);
    assert.equal(document.settings.scale, 0.01);
    for (const [n, scenario] of (makeSuite('minimal')?.scenarios ?? []).entries()) {
      const { runs, ...result } = results[n];
      for (const [field, value] of Object.entries({ ...scenario, workSeconds: 0.005 }))
        assert.equal(result[field], value);
      assert.deepEqual(
        [result.status, result.error, result.expected, result.completed],
        ['completed', null, 5, 5],
      );
      assert.deepEqual([runs.length, runs[0].completed, runs[0].redeliveries], [1, 5, 0]);
      assert.equal(result.jobsPerSecond.average, runs[0].jobsPerSecond);
    }
  });

  test('runs a file as `bench scenarios` writes it, its phase and so many of it as are asked for', async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, 'mine.json');
    const written = await bench('scenarios', 'fast', '--output', file);
    assert.deepEqual([written.code, written.stdout], [0, '']);
    assert.deepEqual((await bench('scenarios', file)).stdout, readFileSync(file, 'utf8'));

    const phases = ['--phase', 'fast_subprocess', '--phase', 'fast_workload', '--limit', '3'];
    const { document } = await measured('suite', file, ...phases, ...LITTLE, '--output', folder);
    assert.deepEqual(namesOf(document), [
      'fast_workload_io_async completed',
      'fast_workload_io_thread completed',
      'fast_subprocess completed',
    ]);
  });

  test('prints a table of all scenarios, also of those that failed, and why', async (t) => {
    const { folder, file } = writeScenarios(t, [TIMED_OUT, GOOD]);
    const { code, stdout, stderr } = await bench('suite', file, '--continue-on-error', '--output', folder);
    assert.equal(code, 1, stderr);
    assert.match(stdout, /^ {2}too-long +async +cpu +- +- +- +- +- +failed$/m);
    assert.match(stdout, /^ {2}good +async +cpu +\d.* completed$/m);
    assert.match(stdout, /^1 of 2 scenarios completed, in /m);
    assert.match(stdout, /^failed: too-long: .*did not end within 1 s.*0 of 4 jobs had ended/m);
    assert.match(stderr, /^Saved: .*mine_\d{8}_\d{6}\.json$/m);
  });

  test('ends with the first scenario that fails, with exit code 1 and what was done', async (t) => {
    const { folder, file } = writeScenarios(t, [GOOD, TIMED_OUT, { ...GOOD, name: 'never' }]);
    const { code, stdout } = await bench('suite', file, '--json', '--output', folder);
    const document: AnyDocument = JSON.parse(stdout);
    assert.deepEqual([code, document.state], [1, 'stopped']);
    assert.deepEqual(namesOf(document), ['good completed', 'too-long failed']);
    assert.deepEqual(document.failed, [{ name: 'too-long', phase: 'one', error: document.results[1].error }]);
    assert.deepEqual([document.results[1].jobsPerSecond, document.results[1].runs], [null, []]);
    assert.equal(readFileSync(resultsIn(folder), 'utf8'), stdout);
  });

  test('fails a scenario one of whose jobs is missing', async (t) => {
    const lost = ['--limit', '1', '--sabotage', 'lost', '--output', temporaryFolder(t)];
    const { code, stdout } = await bench('suite', 'minimal', ...LITTLE, ...lost, '--json');
    const document: AnyDocument = JSON.parse(stdout);
    assert.deepEqual([code, document.totals.failed], [1, 1]);
    assert.match(document.failed[0].error, /1 are not in the store.*1 never started/);
    assert.equal(document.results[0].jobsPerSecond, null);
  });

  test('that is killed leaves what was done', async (t) => {
    const { folder, child } = await startedSecond(t);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const document: AnyDocument = JSON.parse(readFileSync(resultsIn(folder), 'utf8'));
    assert.equal(document.state, 'running');
    assert.deepEqual(namesOf(document), ['good completed']);
    assert.deepEqual([document.totals.scenarios, document.totals.run], [2, 1]);
  });

  test('that is interrupted ends at once with 130, and says in the file that it was', async (t) => {
    const { folder, child } = await startedSecond(t);
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [130, null]);
    const document: AnyDocument = JSON.parse(readFileSync(resultsIn(folder), 'utf8'));
    assert.equal(document.state, 'interrupted');
    assert.deepEqual(namesOf(document), ['good completed']);
    assert.deepEqual(readdirSync(join(folder, 'work')), [], 'the files of the measurement are gone');
  });

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'a suite that is not there',
      ['fsat'],
      /no suite "fsat"; expected minimal, quick, fast, full, or a file/,
    ],
    [
      'a phase that is not there',
      ['fast', '--phase', 'load'],
      /has no phase "load"; its phases are: fast_baseline, /,
    ],
    ['a file that is not there', ['missing.json'], /ENOENT.*missing\.json/],
    ['a scale out of range', ['fast', '--scale', '0'], /Expected a number from 0\.001 to 10/],
    ['a server for a store that is none', ['fast', '--url', 'redis://127.0.0.1:1'], /--url names a server/],
  ];
  for (const [what, args, complaint] of refused) {
    test(`refuses ${what} before anything is measured`, async (t) => {
      const output = join(temporaryFolder(t), 'results');
      const { code, stdout, stderr } = await bench('suite', ...args, '--output', output);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, complaint);
      assert.equal(existsSync(output) && readdirSync(output).length > 0, false);
    });
  }

  test('refuses a file in which anything is wrong, whole', async (t) => {
    const { folder, file } = writeScenarios(t, [GOOD, { ...GOOD, name: 'bad', jobs: 'many', repeats: 0 }]);
    for (const command of ['suite', 'scenarios']) {
      const { code, stdout, stderr } = await bench(command, file);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, /mine\.json cannot be run:\n/);
      assert.match(
        stderr,
        /^ {2}scenario 2 "bad": jobs is "many"; expected a whole number from 1 to 1000000\.$/m,
      );
      assert.match(stderr, /^ {2}scenario 2 "bad": repeats is 0; expected a whole number from 1 to 1000\.$/m);
    }
    assert.deepEqual(readdirSync(folder), ['mine.json']);
  });
});

function namesOf({ results }: AnyDocument): string[] {
  return results.map(({ name, status }: AnyDocument) => `${name} ${status}`);
}

function resultsIn(folder: string): string {
  return join(folder, readdirSync(folder).find((name) => name.startsWith('mine_')) ?? 'no results');
}

function writeScenarios(t: TestContext, scenarios: readonly object[]): { folder: string; file: string } {
  const folder = temporaryFolder(t);
  const file = join(folder, 'mine.json');
  writeFileSync(file, JSON.stringify({ schema: 'longshore-scenarios/1', suite: 'mine', scenarios }));
  return { folder, file };
}

/** A suite whose second scenario is under way, and will be for long: in threads, so that its process can see that ours is gone. */
async function startedSecond(t: TestContext): Promise<{ folder: string; child: ChildProcess }> {
  const { folder, file } = writeScenarios(t, [
    GOOD,
    { ...TIMED_OUT, strategy: 'thread', timeoutSeconds: 600 },
  ]);
  const args = ['suite', file, '--output', folder, '--dir', join(folder, 'work')];
  mkdirSync(join(folder, 'work'));
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let heard = '';
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    heard += chunk;
    if (heard.includes('too-long')) return { folder, child };
  }
  throw new Error(`the suite ended early: ${heard}`);
}
