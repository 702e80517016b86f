import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AttemptError } from '../../src/core/errors.ts';
import { allows, isTerminal, type JobMove } from '../../src/core/job-state.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { attemptsExhausted, CRASHES_MAX_DEFAULT, expire, settle } from '../../src/core/settle-rule.ts';
import { holds } from './check.ts';

const ERROR: AttemptError = { attempt: 1, at: 0, name: 'Error', message: 'no', stack: null, code: null };
const NOW = 1_000_000;

const MOVES: Readonly<Record<Outcome['type'], JobMove>> = {
  completed: 'complete',
  retried: 'retry',
  failed: 'fail',
  cancelled: 'cancel',
  snoozed: 'snooze',
  released: 'release',
};

const delayMs = fc.oneof(fc.constant(0), fc.nat(1_000_000));

const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ type: fc.constant('completed' as const), result: fc.constantFrom(null, '1') }),
  fc.record({ type: fc.constant('retried' as const), error: fc.constant(ERROR), delayMs }),
  fc.record({ type: fc.constant('failed' as const), error: fc.constant(ERROR) }),
  fc.record({ type: fc.constant('cancelled' as const), error: fc.constantFrom(null, ERROR) }),
  fc.record({ type: fc.constant('snoozed' as const), delayMs }),
  fc.record({ type: fc.constant('released' as const) }),
);

/** A running job as it can be: each crash used up a number, and the attempt that runs has one of its own. */
const subjects = fc
  .record({ ended: fc.nat(5), crashes: fc.nat(5), spare: fc.nat(3), cancelRequested: fc.boolean() })
  .map(({ ended, crashes, spare, cancelRequested }) => ({
    attempt: ended + crashes + 1,
    attemptsMax: ended + 1 + spare,
    crashes,
    cancelRequested,
  }));

test('every outcome of a running job is a move of the transition table', () => {
  holds(subjects, outcomes, (job, outcome) => {
    assert.ok(allows('running', MOVES[outcome.type], settle(job, outcome, NOW).state));
  });
});

test('every expiry of a running job is a move of the transition table', () => {
  holds(subjects, fc.integer({ min: 1, max: 6 }), (job, crashesMax) => {
    assert.ok(allows('running', 'expire', expire(job, NOW, crashesMax).state));
  });
});

test('a job that ended has an end and no due time; one that waits has a due time and no end', () => {
  holds(subjects, outcomes, (job, outcome) => {
    const { state, finishedAt, dueAt } = settle(job, outcome, NOW);
    assert.equal(finishedAt, isTerminal(state) ? NOW : undefined);
    if (state === 'ready') assert.equal(dueAt, NOW);
    else if (state === 'scheduled') assert.ok(dueAt !== undefined && dueAt > NOW);
    else assert.equal(dueAt, undefined);
  });
});

test('a wait lasts as long as the outcome asks', () => {
  holds(subjects, fc.integer({ min: 1, max: 1_000_000 }), (job, delayMs) => {
    const calm = { ...job, cancelRequested: false };
    const change = settle(calm, { type: 'snoozed', delayMs }, NOW);
    assert.deepEqual([change.state, change.dueAt], ['scheduled', NOW + delayMs]);
    const retry = settle({ ...calm, attemptsMax: 100 }, { type: 'retried', error: ERROR, delayMs }, NOW);
    assert.deepEqual([retry.state, retry.dueAt], ['scheduled', NOW + delayMs]);
  });
});

test('a snoozed or released attempt is not charged, all others are', () => {
  holds(subjects, outcomes, (job, outcome) => {
    const uncharged = outcome.type === 'released' || (outcome.type === 'snoozed' && !job.cancelRequested);
    const change = settle(job, outcome, NOW);
    assert.equal(change.attempt, uncharged ? job.attempt - 1 : job.attempt);
    assert.equal(change.crashes, job.crashes);
  });
});

test('the error of an outcome is kept, whatever the state it leads to', () => {
  holds(subjects, outcomes, (job, outcome) => {
    const expected = 'error' in outcome ? (outcome.error ?? undefined) : undefined;
    assert.equal(settle(job, outcome, NOW).error, expected);
  });
});

test('a job that is to be cancelled does not wait again', () => {
  holds(subjects, outcomes, (job, outcome) => {
    const { state } = settle({ ...job, cancelRequested: true }, outcome, NOW);
    assert.ok(isTerminal(state), state);
  });
  assert.equal(
    expire({ attempt: 1, attemptsMax: 3, crashes: 0, cancelRequested: true }, NOW).state,
    'cancelled',
  );
});

test('an expiry costs a crash and a number, and no attempt of the budget', () => {
  holds(subjects, (job) => {
    const change = expire(job, NOW, 100);
    assert.deepEqual([change.attempt, change.crashes], [job.attempt, job.crashes + 1]);
    const next = { ...job, attempt: change.attempt + 1, crashes: change.crashes };
    assert.equal(attemptsExhausted(next), attemptsExhausted(job));
  });
});

test('the third crash is the last by default, and says so', () => {
  assert.equal(CRASHES_MAX_DEFAULT, 3);
  const job = { attempt: 3, attemptsMax: 9, crashes: 1, cancelRequested: false };
  assert.deepEqual([expire(job, NOW).state, expire(job, NOW).error?.code], ['ready', 'LEASE_EXPIRED']);
  const last = expire({ ...job, crashes: 2 }, NOW);
  assert.deepEqual([last.state, last.error?.code], ['failed', 'JOB_POISONED']);
});

test('however it goes, a job ends, with at most `attempts` errors and `crashesMax` crashes', () => {
  const events = fc.array(fc.constantFrom('retried', 'snoozed', 'released', 'expired'), { maxLength: 60 });
  holds(
    events,
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
    (sequence, attemptsMax, crashesMax) => {
      const job = { attempt: 0, attemptsMax, crashes: 0, cancelRequested: false };
      let errors = 0;
      const charged: number[] = [];
      for (const event of sequence) {
        job.attempt += 1;
        const change =
          event === 'expired'
            ? expire(job, NOW, crashesMax)
            : settle(job, { type: event as 'retried', error: ERROR, delayMs: 0 }, NOW);
        if (event === 'retried') errors += 1;
        if (event === 'retried' || event === 'expired') charged.push(job.attempt);
        Object.assign(job, { attempt: change.attempt, crashes: change.crashes });
        if (isTerminal(change.state)) {
          assert.ok(errors === attemptsMax || job.crashes === crashesMax, 'it ends when a budget is used up');
          break;
        }
      }
      assert.ok(errors <= attemptsMax && job.crashes <= crashesMax);
      assert.equal(new Set(charged).size, charged.length, 'no number is charged twice');
    },
  );
});

test('a job that is given back after its unique key went to another ends as cancelled, uncharged', () => {
  const givenBack: fc.Arbitrary<Outcome> = fc.constantFrom(
    { type: 'released' },
    { type: 'snoozed', delayMs: 5_000, unstarted: true },
  );
  holds(subjects, givenBack, (job, outcome) => {
    for (const by of ['J', null]) {
      const change = settle({ ...job, replacedBy: by }, outcome, NOW);
      // One that was to be cancelled anyway ends as it always did.
      if (job.cancelRequested) assert.deepEqual(change, settle(job, outcome, NOW));
      else {
        const { state, attempt, error } = change;
        assert.deepEqual([state, attempt, error?.code], ['cancelled', job.attempt - 1, 'JOB_REPLACED']);
      }
    }
  });
});

test('what a handler made of its attempt counts although its unique key went to another', () => {
  holds(subjects, outcomes, (job, outcome) => {
    if (outcome.type === 'released') return;
    assert.deepEqual(settle({ ...job, replacedBy: 'J' }, outcome, NOW), settle(job, outcome, NOW));
  });
});
