import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckFailed, type Evidence, Ledger, requireExactlyOnce } from '../../bench/src/ledger.ts';

test('a measurement passes when every job ran once and is completed in the store', () => {
  requireExactlyOnce('Burn-down', 3, evidence([0, 1, 2]));
});

test('a job that never ran fails the measurement, by its number', () => {
  assert.throws(
    () => requireExactlyOnce('Burn-down', 3, evidence([0, 2])),
    failure(/^Burn-down: each of 3 jobs must run exactly once, but 1 jobs never ran \(e\.g\. number 1\)/),
  );
});

test('a job that ran twice fails the measurement, by its number', () => {
  assert.throws(
    () => requireExactlyOnce('Burn-down', 3, evidence([0, 1, 2, 2])),
    failure(/1 jobs ran more than once \(e\.g\. number 2\)/),
  );
});

test('a job that ran 256 times still counts as repeated', () => {
  const runs = [0, 1, ...new Array<number>(256).fill(1)];
  assert.throws(
    () => requireExactlyOnce('Burn-down', 2, evidence(runs, 2)),
    failure(/1 jobs ran more than once/),
  );
});

test('a run of a job nobody sent fails the measurement', () => {
  assert.throws(
    () => requireExactlyOnce('Burn-down', 3, evidence([0, 1, 2, 3])),
    failure(/1 runs were of unknown jobs/),
  );
});

test('a job that ran but is not completed in the store fails the measurement', () => {
  const { ledger } = evidence([0, 1, 2]);
  assert.throws(
    () => requireExactlyOnce('Burn-down', 3, { ledger, counts: { completed: 2, running: 1 } }),
    failure(/2 jobs are completed in the store; 1 jobs are running in the store/),
  );
});

test('a program that expected another number of jobs fails the measurement', () => {
  assert.throws(
    () => requireExactlyOnce('Burn-down', 4, evidence([0, 1, 2])),
    failure(/3 jobs were expected/),
  );
});

test('sabotage makes a ledger lie, so that the whole command can be seen to fail', () => {
  const lost = new Ledger(2, 'lost');
  const repeated = new Ledger(2, 'repeated');
  for (const ledger of [lost, repeated]) for (const n of [0, 1]) ledger.mark(n);
  assert.equal(lost.report().missing, 1);
  assert.equal(repeated.report().repeated, 1);
});

function evidence(runs: readonly number[], jobs = 3): Evidence {
  const ledger = new Ledger(jobs);
  for (const n of runs) ledger.mark(n);
  return { ledger: ledger.report(), counts: { completed: jobs, ready: 0, failed: 0 } };
}

function failure(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CheckFailed && message.test(error.message);
}
