import assert from 'node:assert/strict';
import { test } from 'node:test';
import { END_MS, type Figures, figuresOf, PLANTS, SETTINGS } from './cases.ts';
import { Controlled, type Mark, type Plant, simulate, ThresholdSwitch } from './plants.ts';

/** Where it comes to rest the use stays within 7 points of the target, so these are no measurements but facts of the law. */
const SEEDS = [1, 2, 3];

function run(plant: Plant, { seed = 1, endMs = END_MS, settings = SETTINGS, fromMs = 0 } = {}): Run {
  const policy = new Controlled(settings);
  const marks = simulate(plant, policy, endMs, seed);
  return { policy, marks, figures: figuresOf(marks, policy, settings.targetCpu, fromMs) };
}

interface Run {
  readonly policy: Controlled;
  readonly marks: readonly Mark[];
  readonly figures: Figures;
}

/** The mean of what `field` was between two times. */
function meanOf(marks: readonly Mark[], field: 'cpu' | 'used', fromMs: number, toMs: number): number {
  const seen = marks.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  return seen.reduce((sum, mark) => sum + mark[field] / seen.length, 0);
}

for (const key of ['computes', 'computesLong', 'mixedWide', 'noisy', 'crowded'] as const) {
  test(`${PLANTS[key].name}: from one slot to the target within 10 s, and it stays there`, () => {
    for (const seed of SEEDS) {
      const { marks, figures } = run(PLANTS[key], { seed });
      assert.ok(
        figures.settledMs !== null && figures.settledMs <= 10_000,
        `seed ${seed}: ${figures.settledMs}`,
      );
      assert.ok(Math.abs(meanOf(marks, 'cpu', 10_000, END_MS) - 0.9) <= 0.05);
    }
  });
}

test('ten jobs at once are a coarse mixture, but on average the target is met', () => {
  for (const seed of SEEDS) {
    const { marks, figures } = run(PLANTS.mixed, { seed });
    assert.ok(Math.abs(meanOf(marks, 'cpu', 10_000, END_MS) - 0.9) <= 0.05);
    assert.ok(figures.most - figures.fewest <= 4, `${figures.fewest} to ${figures.most}`);
  }
});

test('jobs that compute take both of two cores, and the number does not swing between one and two', () => {
  for (const seed of SEEDS) {
    const { policy, marks } = run(PLANTS.computesOnTwo, { seed });
    assert.equal(policy.open, 2);
    assert.ok(policy.decisions.length <= 6, `${policy.decisions.length} changes`);
    const twoUsed = marks.filter(({ atMs, used }) => atMs >= 5_000 && used > 1.9).length;
    assert.ok(twoUsed >= 0.9 * marks.filter(({ atMs }) => atMs >= 5_000).length);
  }
});

test('with a target of 0.6, one of two cores is nearer than both, whatever a test of that shows', () => {
  const { policy, marks } = run(PLANTS.computesOnTwo, { settings: { ...SETTINGS, targetCpu: 0.6 } });
  assert.equal(policy.open, 1);
  assert.ok(meanOf(marks, 'used', 10_000, END_MS) < 1.15);
});

test('jobs that wait get all slots there are, and keep them', () => {
  const { policy, marks } = run(PLANTS.waits);
  const full = policy.decisions.findIndex(({ to }) => to === SETTINGS.slotsMax);
  assert.equal(full, policy.decisions.length - 1);
  assert.ok(meanOf(marks, 'used', 40_000, END_MS) > 490);
});

for (const key of ['dearer', 'cheaper', 'foreign'] as const) {
  test(`${PLANTS[key].name}: at the target again within 10 s`, () => {
    for (const seed of SEEDS) {
      const { figures } = run(PLANTS[key], { seed, fromMs: 30_000 });
      assert.ok(
        figures.settledMs !== null && figures.settledMs <= 10_000,
        `seed ${seed}: ${figures.settledMs}`,
      );
    }
  });
}

test('samples that are late make it overshoot once, not swing', () => {
  const { figures } = run(PLANTS.late);
  assert.ok(figures.settledMs !== null && figures.settledMs <= 15_000);
  assert.ok(figures.most - figures.fewest <= 5);
});

test('an empty queue changes nothing: the number is right when jobs come again', () => {
  const { policy, marks } = run(PLANTS.paused);
  assert.ok(policy.decisions.every(({ atMs }) => atMs < 20_000 || atMs > 30_000));
  assert.ok(Math.abs(meanOf(marks, 'cpu', 32_000, END_MS) - 0.9) <= 0.05);
});

test('a queue that holds few jobs is no reason for more slots', () => {
  let started = 0;
  // A job every 200 ms, of 100 ms each: never two at once.
  const trickle: Plant = { ...PLANTS.waits, queued: (atMs) => atMs % 200 === 0 && started++ >= 0 };
  const { policy } = run({ ...trickle }, { settings: { ...SETTINGS, slotsMin: 4 } });
  assert.ok(policy.open <= 8, `${policy.open} slots`);
});

test('slots that nobody uses are closed when others need the processor', () => {
  const plant: Plant = {
    ...PLANTS.mixedWide,
    queued: (atMs) => atMs < 20_000,
    foreign: (atMs) => (atMs >= 25_000 ? 0.99 : 0),
  };
  const { policy } = run(plant, { endMs: 40_000 });
  assert.equal(policy.decisions.at(-1)?.reason, 'unusedUnderLoad');
  assert.equal(policy.open, SETTINGS.slotsMin);
});

test('where jobs hold memory, it stops below the memory target', () => {
  const { figures, policy } = run(PLANTS.memory);
  assert.ok(figures.memoryMax < SETTINGS.targetMemory, `${figures.memoryMax}`);
  assert.ok(figures.most > 50);
  assert.ok(policy.decisions.every(({ reason }) => reason === 'cpuBelowTarget'));
});

test('where memory leaks, it sheds down to the minimum before the limit is reached', () => {
  const { marks, policy } = run(PLANTS.leak, { endMs: 40_000 });
  const reached = marks.findIndex(({ memory }) => memory > SETTINGS.targetMemory);
  assert.ok(reached > 0);
  const shed = policy.decisions.filter(({ reason }) => reason === 'memoryOverTarget');
  assert.ok(shed.length > 3);
  assert.ok((shed[0]?.atMs ?? 0) - (marks[reached] as Mark).atMs <= 1_000);
  assert.ok(marks.every(({ memory }) => memory < 0.95));
  assert.equal(policy.open, SETTINGS.slotsMin);
});

test('jobs that outlive every change end by themselves: meanwhile it waits instead of shrinking on and on', () => {
  const stuck: Plant = { name: 'an hour each', cores: 2, computeMs: 3_600_000, waitMs: 0 };
  const { policy } = run(stuck, { settings: { ...SETTINGS, slotsMin: 1, rampMs: 0 }, endMs: 30_000 });
  const shrunk = policy.decisions.filter(({ from, to }) => to < from);
  assert.ok(shrunk.length <= 1, JSON.stringify(policy.decisions));
});

test('beside a threshold switch it is nearer the target and runs fewer jobs too many', () => {
  const keys = ['computes', 'mixed', 'mixedWide', 'dearer', 'foreign', 'noisy', 'late'] as const;
  for (const key of keys) {
    const { figures } = run(PLANTS[key]);
    for (const rampMs of [5, 50]) {
      const policy = new ThresholdSwitch({ ...SETTINGS, rampMs });
      const other = figuresOf(simulate(PLANTS[key], policy, END_MS), policy, SETTINGS.targetCpu);
      assert.ok(Math.abs(figures.use - 0.9) <= Math.abs(other.use - 0.9), `${key}, ${rampMs} ms`);
    }
  }
  const swings = (rampMs: number): number => {
    const policy = new ThresholdSwitch({ ...SETTINGS, rampMs });
    const { most, fewest } = figuresOf(simulate(PLANTS.mixed, policy, END_MS), policy, SETTINGS.targetCpu);
    return most - fewest;
  };
  const { figures } = run(PLANTS.mixed);
  assert.ok(figures.most - figures.fewest < swings(5) / 5);
});
