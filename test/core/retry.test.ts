import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RetryAfterError, SnoozeError, UnrecoverableError } from '../../src/core/errors.ts';
import { type Backoff, backoffMs, outcomeOfError, requireBackoff } from '../../src/core/retry.ts';
import { holds, thrownBy } from './check.ts';

const half = () => 0.5;
const DAY_MS = 86_400_000;

const policies = fc.record({
  type: fc.constantFrom('fixed', 'linear', 'exponential', 'fibonacci'),
  delayMs: fc.nat(100_000),
  maxMs: fc.nat(10_000_000),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const attempts = fc.integer({ min: 1, max: 10_000 });
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const waits = (backoff: Backoff, count: number) =>
  Array.from({ length: count }, (_, index) => backoffMs(backoff, index + 1, null, half));

test('each kind of backoff grows as its name says', () => {
  assert.deepEqual(waits({ type: 'fixed', delayMs: 100 }, 4), [100, 100, 100, 100]);
  assert.deepEqual(waits({ type: 'linear', delayMs: 100 }, 4), [100, 200, 300, 400]);
  assert.deepEqual(waits({ type: 'exponential', delayMs: 100 }, 5), [100, 200, 400, 800, 1_600]);
  assert.deepEqual(waits({ type: 'fibonacci', delayMs: 100 }, 7), [100, 100, 200, 300, 500, 800, 1_300]);
  assert.deepEqual(waits(250, 3), [250, 250, 250]);
  assert.deepEqual(
    waits((attempt) => attempt * 7, 3),
    [7, 14, 21],
  );
});

test('a wait is a whole number of milliseconds from 0 to the cap', () => {
  holds(policies, attempts, randoms, (policy, attempt, random) => {
    const wait = backoffMs(policy, attempt, null, () => random);
    assert.ok(Number.isInteger(wait) && wait >= 0 && wait <= policy.maxMs, String(wait));
  });
});

test('without a cap of its own no policy waits longer than a day', () => {
  holds(policies, attempts, ({ type, delayMs }, attempt) => {
    assert.ok(backoffMs({ type, delayMs }, attempt, null, half) <= DAY_MS);
  });
});

test('a later attempt never waits less, jitter aside', () => {
  holds(policies, attempts, ({ type, delayMs, maxMs }, attempt) => {
    const policy = { type, delayMs, maxMs };
    assert.ok(backoffMs(policy, attempt + 1, null, half) >= backoffMs(policy, attempt, null, half));
  });
});

test('jitter draws from its share on either side, ends included', () => {
  holds(fc.nat(100_000), fc.double({ min: 0, max: 1, noNaN: true }), randoms, (delayMs, jitter, random) => {
    const wait = backoffMs({ type: 'fixed', delayMs, jitter }, 1, null, () => random);
    assert.ok(wait >= Math.floor(delayMs * (1 - jitter)) && wait <= Math.ceil(delayMs * (1 + jitter)));
  });
  const spread = (random: number) =>
    backoffMs({ type: 'fixed', delayMs: 1_000, jitter: 0.2 }, 1, null, () => random);
  assert.deepEqual([spread(0), spread(0.5), spread(0.999_999)], [800, 1_000, 1_200]);
});

test('at the longest wait jitter goes on, below it', () => {
  const policy = { type: 'exponential', delayMs: 100, maxMs: 200, jitter: 0.5 } as const;
  const wait = (attempt: number, random: number) => backoffMs(policy, attempt, null, () => random);
  assert.deepEqual([wait(40, 0), wait(40, 0.5), wait(40, 0.999_999)], [100, 150, 200]);
  assert.deepEqual([wait(1, 0), wait(1, 0.5), wait(1, 0.999_999)], [50, 100, 150]);
  const drawn = Array.from({ length: 40 }, (_, index) => wait(40, index / 40));
  assert.equal(new Set(drawn).size, 40, 'forty retries wait forty different times');
});

test('a function is given the attempt and what was thrown', () => {
  const given: unknown[] = [];
  const error = new Error('no');
  const wait = backoffMs((...args) => given.push(...args) * 10, 4, error, half);
  assert.deepEqual([wait, given], [20, [4, error]]);
});

test('a wrong backoff is refused, naming field, value and expectation', () => {
  const wrong: readonly [unknown, RegExp][] = [
    [-1, /backoff is -1; expected a number of milliseconds, 0 or more/],
    [Number.NaN, /backoff is NaN/],
    [Number.POSITIVE_INFINITY, /backoff is Infinity/],
    [null, /backoff is null; expected milliseconds, a policy or a function/],
    ['fast', /backoff is "fast"/],
    [{ type: 'square', delayMs: 1 }, /backoff\.type is "square"; expected 'fixed', 'linear'/],
    [{ type: 'fixed' }, /backoff\.delayMs is undefined/],
    [{ type: 'exponential', delay: 1_000 }, /backoff has no option "delay"; did you mean "delayMs"\?/],
    [{ type: 'fixed', delayMs: 1, jitter: '0.5' }, /backoff\.jitter is "0\.5"/],
    [{ type: 'fixed', delayMs: Number.NaN }, /backoff\.delayMs is NaN/],
    [{ type: 'fixed', delayMs: 1, maxMs: -5 }, /backoff\.maxMs is -5/],
    [{ type: 'fixed', delayMs: 1, jitter: 1.1 }, /backoff\.jitter is 1\.1; expected a number from 0 to 1/],
    [{ type: 'fixed', delayMs: 1, jitter: Number.NaN }, /backoff\.jitter is NaN/],
  ];
  for (const [backoff, message] of wrong) {
    const error = thrownBy(() => requireBackoff('backoff', backoff as Backoff));
    assert.equal(error.code, 'OPTION_INVALID');
    assert.match(error.message, message);
  }
});

test('a sound backoff passes as it is', () => {
  for (const backoff of [0, 5, { type: 'fixed', delayMs: 1, maxMs: 0, jitter: 1 } as const, () => 1])
    assert.equal(requireBackoff('backoff', backoff), backoff);
});

const JOB = { attempt: 1, attemptsMax: 3, crashes: 0, backoff: 500, now: 77, random: half };

test('what a handler threw decides the outcome', () => {
  const ofError = (thrown: unknown, changes = {}) => {
    const { type, ...rest } = outcomeOfError(thrown, { ...JOB, ...changes });
    return { type, delayMs: 'delayMs' in rest ? rest.delayMs : null };
  };
  assert.deepEqual(ofError(new Error('no')), { type: 'retried', delayMs: 500 });
  assert.deepEqual(ofError(new Error('no'), { attempt: 3 }), { type: 'failed', delayMs: null });
  assert.deepEqual(ofError(new Error('no'), { attempt: 1, attemptsMax: 1 }), {
    type: 'failed',
    delayMs: null,
  });
  assert.deepEqual(ofError(new Error('no'), { attempt: 3, crashes: 1 }), { type: 'retried', delayMs: 500 });
  assert.deepEqual(ofError(new UnrecoverableError('no')), { type: 'failed', delayMs: null });
  assert.deepEqual(ofError(new RetryAfterError('wait', 9)), { type: 'retried', delayMs: 9 });
  assert.deepEqual(ofError(new RetryAfterError('wait', 9), { attempt: 3 }), {
    type: 'failed',
    delayMs: null,
  });
  assert.deepEqual(ofError(new SnoozeError(40), { attempt: 3 }), { type: 'snoozed', delayMs: 40 });
  assert.deepEqual(ofError(undefined), { type: 'retried', delayMs: 500 });
});

test('crashes do not count towards the backoff', () => {
  const outcome = outcomeOfError(new Error('no'), {
    ...JOB,
    attempt: 4,
    crashes: 2,
    attemptsMax: 9,
    backoff: { type: 'linear', delayMs: 10 },
  });
  assert.equal(outcome.type === 'retried' && outcome.delayMs, 20);
});

test('a backoff function that breaks does not lose the job', () => {
  const broken: readonly Backoff[] = [
    () => Number.NaN,
    () => -1,
    () => '5' as never,
    () => {
      throw new Error('my own fault');
    },
    () => {
      throw undefined;
    },
  ];
  for (const backoff of broken) {
    const outcome = outcomeOfError(new Error('no'), { ...JOB, backoff });
    assert.ok(outcome.type === 'retried' && outcome.delayMs === 1_000);
    assert.match(outcome.error.message, /^no \(backoff failed: /);
  }
});

test('waits a handler asks for are checked where they are made', () => {
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5' as never]) {
    assert.equal(thrownBy(() => new RetryAfterError('no', ms)).code, 'OPTION_INVALID');
    assert.equal(thrownBy(() => new SnoozeError(ms)).code, 'OPTION_INVALID');
  }
});

test('errors thrown on purpose count whichever copy of the package made them', () => {
  const job = { attempt: 1, attemptsMax: 3, crashes: 0, backoff: 10, now: 0, random: half };
  const intent = Symbol.for('longshore.intent');
  const foreign = (kind: string, more = {}) =>
    Object.assign(new Error('from elsewhere'), { [intent]: kind, ...more });
  assert.equal(outcomeOfError(foreign('unrecoverable'), job).type, 'failed');
  assert.deepEqual(outcomeOfError(foreign('snooze', { delayMs: 7 }), job), { type: 'snoozed', delayMs: 7 });
  const retried = outcomeOfError(foreign('retryAfter', { retryAfterMs: 9 }), job);
  assert.deepEqual([retried.type, 'delayMs' in retried && retried.delayMs], ['retried', 9]);
});

test('the message of what only looks like an error is kept', () => {
  const outcome = outcomeOfError(
    { name: 'Boom', message: 'as plain data' },
    {
      attempt: 1,
      attemptsMax: 1,
      crashes: 0,
      backoff: 0,
      now: 0,
      random: half,
    },
  );
  assert.ok(outcome.type === 'failed');
  assert.deepEqual([outcome.error.name, outcome.error.message], ['Boom', 'as plain data']);
});
