import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyStep } from '../../src/core/flow/why-step.ts';
import { LIMITS_NONE } from '../../src/core/limits.ts';
import { type Surroundings, why } from '../../src/core/why.ts';

const job = {
  id: 'j',
  state: 'ready',
  queue: 'mail',
  task: 'welcome',
  key: null,
  held: false,
  dueAt: 0,
  attempt: 0,
  startedAt: null,
  finishedAt: null,
  workerId: null,
  cancelRequested: false,
} as const;
const counts = { scheduled: 0, ready: 1, running: 0, completed: 0, failed: 0, cancelled: 0 };
const worker = { id: 'w', alive: true, tasks: ['welcome'], queues: ['mail'], slots: 2, slotsUsed: 0 };
const queue = { name: 'mail', pausedAt: null, limits: LIMITS_NONE, counts };
const around: Surroundings = { now: 10, queues: [queue], workers: [worker] };

function codes(change: object, surroundings: Partial<Surroundings> = {}): string[] {
  return why({ ...job, ...change }, { ...around, ...surroundings }).reasons.map(({ code }) => code);
}

test('a job that nothing holds is next', () => {
  assert.deepEqual(codes({}), ['next']);
});

test('each thing that holds a job is named, what a person must act on first', () => {
  assert.deepEqual(codes({ state: 'completed' }), ['ended']);
  assert.deepEqual(codes({ state: 'running', workerId: 'w' }), ['running']);
  assert.deepEqual(codes({ state: 'running', cancelRequested: true }), ['stopping']);
  assert.deepEqual(codes({ state: 'scheduled', dueAt: 99 }), ['dueLater']);
  assert.deepEqual(codes({ state: 'scheduled', dueAt: 99, attempt: 1 }), ['retryLater']);
  assert.deepEqual(codes({ held: true, key: 'k' }), ['keyTurn']);
  const all = { ...queue, name: '*', pausedAt: 1 };
  assert.deepEqual(codes({}, { queues: [all, { ...queue, pausedAt: 1 }] }), ['allPaused', 'queuePaused']);
  assert.deepEqual(codes({}, { workers: [{ ...worker, alive: false }] }), ['noWorker']);
  assert.deepEqual(codes({}, { workers: [{ ...worker, tasks: ['other'] }] }), ['noWorkerWithTask']);
  assert.deepEqual(codes({}, { workers: [{ ...worker, slotsUsed: 2 }] }), ['workersBusy']);
  const limits = { ...LIMITS_NONE, concurrency: 1, rate: { count: 1, perMs: 5 } };
  const full = { ...queue, limits, counts: { ...counts, ready: 4, running: 1 } };
  assert.deepEqual(codes({}, { queues: [full] }), ['limit', 'rate', 'line']);
  const ordered = { ...queue, limits: { ...LIMITS_NONE, perKey: { ...LIMITS_NONE.perKey, ordered: true } } };
  assert.deepEqual(codes({ held: true, key: 'k' }, { queues: [ordered] }), ['keyOrder']);
});

test('what is due by itself says when', () => {
  assert.equal(why({ ...job, state: 'scheduled', dueAt: 99 }, around).reasons[0]?.until, 99);
});

test('a step says what it waits for, and leaves it to its job otherwise', () => {
  const step = {
    ...{ name: 's', kind: 'task', state: 'pending', blocked: false, waitsFor: ['a', 'b'] },
    ...{ signal: null, until: null, run: null, items: null },
  };
  const run = { ended: false, state: 'running' };
  const code = (change: object, of = run) => whyStep({ ...step, ...change }, of)?.code ?? null;
  assert.equal(code({}), 'waitsForSteps');
  assert.equal(code({ state: 'waiting', signal: 'ok', waitsFor: [] }), 'waitsForSignal');
  assert.equal(code({ state: 'waiting', until: new Date(5) }), 'sleeps');
  assert.equal(code({ state: 'running', run: 'r' }), 'waitsForRun');
  assert.equal(code({ state: 'running', items: { of: 3, completed: 1, failed: 0 } }), 'waitsForItems');
  assert.equal(code({ state: 'failed', blocked: true }), 'decideByHand');
  assert.equal(code({ state: 'completed' }), 'stepEnded');
  assert.equal(code({}, { ended: true, state: 'failed' }), 'runEnded');
  assert.equal(code({ state: 'running' }), null);
});
