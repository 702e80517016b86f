import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DECISION_MS } from '../../src/tuner/control.ts';
import type { TunerSettings } from '../../src/tuner/settings.ts';
import { Controlled, type Plant, simulate } from './plants.ts';

/** Jobs that take up to half a second: of those that take many seconds, few are seen in the time of a change. */
const plants: fc.Arbitrary<Plant> = fc.record({
  name: fc.constant('any'),
  cores: fc.integer({ min: 1, max: 16 }),
  computeMs: fc.double({ min: 0.1, max: 200, noNaN: true }),
  waitMs: fc.double({ min: 0, max: 300, noNaN: true }),
  noise: fc.double({ min: 0, max: 0.05, noNaN: true }),
  lagMs: fc.constantFrom(0, 200),
  foreign: fc.double({ min: 0, max: 0.6, noNaN: true }).map((load) => () => load),
  memory: fc.record({
    base: fc.double({ min: 0, max: 0.5, noNaN: true }),
    job: fc.double({ min: 0, max: 0.02, noNaN: true }),
  }),
});

const settings: fc.Arbitrary<TunerSettings> = fc.record({
  targetCpu: fc.double({ min: 0.3, max: 0.95, noNaN: true }),
  targetMemory: fc.constant(0.8),
  slotsMin: fc.integer({ min: 1, max: 20 }),
  slotsMax: fc.integer({ min: 20, max: 200 }),
  rampMs: fc.constantFrom(0, 10, 50, 200),
});

const RUNS = { numRuns: 60, seed: 20_260 };

test('whatever the plant, slots stay within their bounds and change at most once a second', () => {
  fc.assert(
    fc.property(plants, settings, fc.integer(), (plant, given, seed) => {
      const policy = new Controlled(given);
      const marks = simulate(plant, policy, 20_000, seed);
      for (const { open, used } of marks) {
        assert.ok(open >= given.slotsMin && open <= given.slotsMax);
        assert.ok(used <= given.slotsMax);
      }
      for (const [index, { from, to, atMs }] of policy.decisions.entries()) {
        const before = policy.decisions[index - 1];
        assert.ok(to >= given.slotsMin && to <= given.slotsMax && to !== from);
        assert.ok(before === undefined || atMs - before.atMs >= DECISION_MS);
      }
    }),
    RUNS,
  );
});

test('whatever the plant, it comes to rest: near the target, at a bound, at the memory target or on the nearest slot', () => {
  fc.assert(
    fc.property(plants, settings, fc.integer(), (plant, given, seed) => {
      const policy = new Controlled({ ...given, rampMs: Math.min(given.rampMs, 50) });
      const marks = simulate(plant, policy, 60_000, seed).filter(({ atMs }) => atMs >= 40_000);
      const mean = (field: 'cpu' | 'memory' | 'used'): number =>
        marks.reduce((sum, mark) => sum + mark[field] / marks.length, 0);
      const perSlot = mean('cpu') / Math.max(mean('used'), 0.5);
      const bound = policy.open <= given.slotsMin || policy.open >= given.slotsMax;
      const byMemory = mean('memory') > 0.65;
      const near = Math.abs(mean('cpu') - given.targetCpu) <= Math.max(0.07, perSlot);
      assert.ok(near || bound || byMemory, `use ${mean('cpu')}, ${policy.open} slots`);
    }),
    RUNS,
  );
});

test('whatever the plant, after half a minute the number turns round seldom and not far', () => {
  fc.assert(
    fc.property(plants, settings, fc.integer(), (plant, given, seed) => {
      const policy = new Controlled({ ...given, rampMs: Math.min(given.rampMs, 50) });
      simulate(plant, policy, 90_000, seed);
      const late = policy.decisions.filter(({ atMs }) => atMs >= 30_000);
      const turns = late.filter(({ from, to }, index) => {
        const before = late[index - 1];
        return before !== undefined && Math.sign(to - from) !== Math.sign(before.to - before.from);
      });
      assert.ok(turns.length <= 20, `${turns.length} turns in a minute`);
      const numbers = late.flatMap(({ from, to }) => [from, to]);
      const spread = numbers.length === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers);
      assert.ok(
        spread <= Math.max(4, 0.6 * Math.max(...numbers)),
        `from ${Math.min(...numbers)} to ${Math.max(...numbers)}`,
      );
    }),
    RUNS,
  );
});
