import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adviseOn } from '../../src/advice/advice.ts';
import { finishedFacts, rateUntil } from '../../src/advice/collect.ts';
import type { Advice, QueueFacts, TaskFacts } from '../../src/advice/facts.ts';
import { retentionAdvice } from '../../src/advice/queue-rules.ts';
import { prefetchAdvice, slotsAdvice, strategyAdvice } from '../../src/advice/task-rules.ts';
import { RETENTION_DEFAULT, type TaskProfile } from '../../src/store/store.ts';

const HEAVY: TaskProfile = {
  ...{ task: 'thumbnail', lane: 'thread', reason: 'heavy', samples: 40, busyMs: 180, wallMs: 200 },
};
const LIGHT: TaskProfile = { ...HEAVY, lane: 'inline', reason: 'light', busyMs: 2, wallMs: 80 };

function task(change: Partial<TaskFacts> = {}): TaskFacts {
  const finished = { jobs: 500, runMs: { p50: 50, p99: 90 }, waitMs: { p50: 5, p99: 40 }, perSecond: 20 };
  return {
    ...{ task: 'thumbnail', profiles: [LIGHT], workers: 2, slots: 20, slotsUsed: 4, finished, ready: 0 },
    ...change,
  };
}

function queue(change: Partial<QueueFacts> = {}): QueueFacts {
  const counts = { scheduled: 0, ready: 0, running: 0, completed: 1_000, failed: 0, cancelled: 0 };
  return { name: 'images', counts, retention: RETENTION_DEFAULT, perSecond: 0.01, ...change };
}

const none = { p50: Number.NaN, p99: Number.NaN };
const NOTHING = { jobs: 0, runMs: none, waitMs: none, perSecond: null };
const inShort = ({ verdict, paste }: Advice): unknown => [verdict, paste];

describe('advice on the strategy', () => {
  test('leaves a task where it belongs', () => {
    assert.deepEqual(inShort(strategyAdvice(task())), ['keep', null]);
    assert.deepEqual(inShort(strategyAdvice(task({ profiles: [HEAVY] }))), ['keep', null]);
  });

  test('sends what computes to threads, and what waits to the event loop, wherever a worker has it elsewhere', () => {
    const inline = { ...LIGHT, samples: 0, reason: "strategy 'async' of the task" };
    const blocks = strategyAdvice(task({ profiles: [inline, HEAVY] }));
    assert.deepEqual(inShort(blocks), ['change', "defineTask({ name: 'thumbnail', strategy: 'thread', … })"]);
    assert.match(blocks.why, /busy for 180 ms of 200 ms \(90 %; 40 jobs measured\)/);
    const idles = strategyAdvice(task({ profiles: [LIGHT, { ...inline, lane: 'process' }] }));
    assert.deepEqual(inShort(idles), ['change', "defineTask({ name: 'thumbnail', strategy: 'async', … })"]);
  });

  test('goes by the worker that measured most, and takes less than five jobs for nothing', () => {
    const few = { ...HEAVY, samples: 4 };
    assert.match(strategyAdvice(task({ profiles: [few, LIGHT] })).text, /on the event loop, not thread/);
    assert.equal(strategyAdvice(task({ profiles: [few] })).verdict, 'unknown');
  });

  test('wants a task that computes to be importable', () => {
    const pinned = { ...HEAVY, lane: 'inline', reason: 'not importable: it is defined in the start module' };
    assert.match(strategyAdvice(task({ profiles: [pinned] })).text, /^Let threads import it/);
  });

  test('says why nothing is known, and how to know more', () => {
    const fixed = { ...LIGHT, samples: 0, reason: "strategy 'async' of the task" };
    const { verdict, text, why, paste } = strategyAdvice(task({ profiles: [fixed] }));
    assert.deepEqual([verdict, paste], ['unknown', "defineTask({ name: 'thumbnail', strategy: 'auto', … })"]);
    assert.match(text, /longshore bench FILE/);
    assert.match(why, /inline, since strategy 'async' of the task/);
    const fresh = strategyAdvice(task({ profiles: [{ ...HEAVY, samples: 0, reason: 'not measured yet' }] }));
    assert.match(fresh.text, /5 of its jobs have to run first/);
    assert.match(strategyAdvice(task({ workers: 0, profiles: [] })).text, /start a worker/);
  });
});

describe('advice on slots', () => {
  const waiting = {
    jobs: 500,
    runMs: { p50: 50, p99: 90 },
    waitMs: { p50: 2_000, p99: 9_000 },
    perSecond: 380,
  };

  test('wants more where jobs wait, all are used, and the handler waits', () => {
    const { verdict, text, why, paste } = slotsAdvice(task({ finished: waiting, slotsUsed: 19, ready: 300 }));
    assert.equal(verdict, 'change');
    assert.match(text, /Twice as many slots, 20 in each worker/);
    assert.match(paste ?? '', /^longshore\.worker\(\{ tasks, concurrency: 20 \}\);/);
    assert.match(
      why,
      /^380 jobs\/s of 50 ms keep 19 slots busy; 2 workers with this task: 20 slots, 19 used now\./,
    );
  });

  test('wants more machines where the handler computes', () => {
    const facts = task({ finished: waiting, slotsUsed: 20, ready: 300, profiles: [HEAVY] });
    assert.match(slotsAdvice(facts).text, /^More machines/);
  });

  test('looks for what holds jobs where slots are free', () => {
    assert.match(slotsAdvice(task({ finished: waiting, ready: 300 })).text, /longshore why ID/);
  });

  test('leaves them where jobs do not wait, or waited once and do no more', () => {
    for (const facts of [task(), task({ finished: waiting, slotsUsed: 20 })])
      assert.equal(slotsAdvice(facts).verdict, 'keep');
  });
});

describe('advice on prefetch', () => {
  const uneven = { jobs: 500, runMs: { p50: 10, p99: 4_000 }, waitMs: { p50: 5, p99: 40 }, perSecond: 20 };

  test('holds fewer where quick jobs wait behind slow ones and others could run them', () => {
    const expected = ['change', 'longshore.worker({ tasks, prefetchMax: 0 });'];
    assert.deepEqual(inShort(prefetchAdvice(task({ finished: uneven }))), expected);
    assert.equal(prefetchAdvice(task({ finished: uneven, workers: 1 })).verdict, 'keep');
    assert.equal(prefetchAdvice(task()).verdict, 'keep');
  });
});

describe('advice on retention', () => {
  test('leaves few jobs alone, and tells of failed ones', () => {
    assert.equal(retentionAdvice(queue()).verdict, 'keep');
    const counts = { ...queue().counts, failed: 3 };
    assert.match(retentionAdvice(queue({ counts })).why, /3 jobs failed and wait for somebody/);
  });

  test('shortens what grows large, and says when the number counts and not the age', () => {
    const grows = retentionAdvice(queue({ perSecond: 10 }));
    assert.equal(grows.verdict, 'change');
    assert.match(grows.why, /At 10 jobs\/s they become 1,000,000\./);
    const full = retentionAdvice(queue({ counts: { ...queue().counts, completed: 990_000 } }));
    assert.match(full.text, /their number bounds them now/);
    assert.match(full.paste ?? '', /setRetention\('images', \{ completed: \{ ageMs: 86_400_000/);
  });

  test('knows what nobody keeps', () => {
    const retention = { ...RETENTION_DEFAULT, completed: { ageMs: 0, count: 0 } };
    assert.match(retentionAdvice(queue({ retention, perSecond: null })).text, /^Nothing is kept/);
  });
});

test('too few jobs are no ground for advice, and each rule says so', () => {
  const advice = adviseOn({ tasks: [task({ finished: NOTHING, profiles: [] })], queues: [] });
  assert.deepEqual(new Set(advice.map(({ verdict }) => verdict)), new Set(['unknown']));
  assert.deepEqual(advice.length, 3);
});

test('what is to be changed comes first', () => {
  const profiles = [HEAVY, { ...HEAVY, lane: 'inline', samples: 0 }];
  const facts = task({ finished: { ...NOTHING, jobs: 3 }, profiles });
  const [first] = adviseOn({ tasks: [facts], queues: [queue()] });
  assert.deepEqual([first?.setting, first?.verdict], ['strategy', 'change']);
});

test('times of finished jobs become percentiles and rates; bursts are no rate of a whole day', () => {
  const jobs = Array.from({ length: 100 }, (_, at) => ({
    ...{ task: 'a', queue: 'q', dueAt: at * 100, startedAt: at * 100 + at, finishedAt: at * 100 + at + 50 },
  }));
  const { runMs, waitMs, perSecond, jobs: count } = finishedFacts(jobs);
  assert.deepEqual([count, runMs, waitMs], [100, { p50: 50, p99: 50 }, { p50: 49, p99: 98 }]);
  assert.equal(perSecond, (1_000 * 99) / (99 * 101));
  assert.equal(finishedFacts(jobs.slice(0, 5)).perSecond, null);
  assert.equal(rateUntil(10_050, jobs), null);
  assert.equal(rateUntil(1_000_050, jobs), 0.1);
});
