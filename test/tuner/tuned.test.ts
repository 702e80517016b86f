import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, FakeSensor } from '../../src/testing/index.ts';
import type { Adjustment } from '../../src/tuner/controller.ts';
import type { TunerSettings } from '../../src/tuner/settings.ts';
import { TunedSlots } from '../../src/tuner/tuned.ts';

const SETTINGS = { targetCpu: 0.9, slotsMin: 4, slotsMax: 100, rampMs: 50 };

class Stage {
  readonly clock = new FakeClock();
  readonly sensor = new FakeSensor({ cpu: 0.1, memory: 0.1 });
  readonly adjusted: Adjustment[] = [];
  readonly sensors: (string | null)[] = [];
  changes = 0;

  slots(settings: Partial<TunerSettings> = SETTINGS, source: object = this): TunedSlots {
    return new TunedSlots({
      settings,
      clock: this.clock,
      sensor: this.sensor,
      reports: {
        source,
        onAdjusted: (adjustment) => this.adjusted.push(adjustment),
        onSampled: () => undefined,
        onSensor: (_sensor, problem) => this.sensors.push(problem),
      },
    });
  }

  started(): TunedSlots {
    const slots = this.slots();
    slots.start(() => {
      this.changes += 1;
    });
    return slots;
  }

  /** `slots` are all used, as by a queue that never ends, while the time passes. */
  async busy(slots: TunedSlots, ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 10) {
      takeAll(slots);
      await this.clock.advance(10);
    }
  }
}

function takeAll(slots: TunedSlots): number {
  let taken = 0;
  while (slots.tryReserve()) taken += 1;
  return taken;
}

function release(slots: TunedSlots, count: number): void {
  for (let released = 0; released < count; released += 1) slots.release();
}

test('it begins with the minimum, all of it open at once', () => {
  const stage = new Stage();
  const slots = stage.started();
  assert.equal(slots.total, 4);
  assert.equal(takeAll(slots), 4);
  assert.deepEqual([slots.total, slots.used], [4, 4]);
  slots.stop();
});

test('more slots open one after the other, and each is told of', async () => {
  const stage = new Stage();
  const slots = stage.started();
  await stage.busy(slots, 1_010);
  assert.deepEqual(
    stage.adjusted.map(({ from, to, reason }) => ({ from, to, reason })),
    [{ from: 4, to: 8, reason: 'cpuBelowTarget' }],
  );
  assert.equal(slots.total, 5);
  const before = stage.changes;
  await stage.clock.advance(50);
  assert.equal(slots.total, 6);
  assert.equal(stage.changes, before + 1);
  await stage.clock.advance(100);
  assert.equal(slots.total, 8);
  await stage.clock.advance(50);
  assert.equal(slots.total, 8);
  slots.stop();
});

test('slots that are not used do not become more', async () => {
  const stage = new Stage();
  const slots = stage.started();
  slots.tryReserve();
  await stage.clock.advance(20_000);
  assert.equal(slots.total, 4);
  slots.stop();
});

test('over the memory target slots close at once; what is used stays used, and nothing new starts', async () => {
  const stage = new Stage();
  const slots = stage.slots({ ...SETTINGS, slotsMin: 2, targetMemory: 0.5 });
  slots.start(() => undefined);
  await stage.busy(slots, 8_000);
  const used = slots.used;
  assert.ok(used > 10);
  stage.sensor.memory = 0.6;
  await stage.clock.advance(1_200);
  assert.equal(stage.adjusted.at(-1)?.reason, 'memoryOverTarget');
  assert.equal(slots.used, used);
  assert.ok(slots.total < used);
  release(slots, used - slots.total);
  assert.equal(slots.tryReserve(), false);
  release(slots, 1);
  assert.equal(slots.tryReserve(), true);
  slots.stop();
});

test('two workers share the slots: what one uses the other cannot', () => {
  const stage = new Stage();
  const [one, other] = [stage.started(), stage.started()];
  assert.equal(takeAll(one), 4);
  assert.deepEqual([other.total, other.used, other.tryReserve()], [0, 0, false]);
  one.release();
  assert.equal(other.total, 1);
  one.stop();
  assert.equal(other.total, 4);
  other.stop();
});

test('who was refused a slot has it before one who uses more, until he lets it pass', async () => {
  const stage = new Stage();
  const [one, other] = [stage.started(), stage.started()];
  takeAll(one);
  assert.equal(other.tryReserve(), false);
  one.release();
  assert.equal(one.tryReserve(), false, 'the other is in line');
  assert.equal(other.tryReserve(), true);
  one.release();
  await stage.clock.advance(300);
  assert.equal(one.tryReserve(), true, 'nobody has asked for long');
  one.stop();
  other.stop();
});

test('who waits for a slot is told when another worker lets go of one', () => {
  const stage = new Stage();
  const one = stage.started();
  let told = 0;
  const other = stage.slots();
  other.start(() => {
    told += 1;
  });
  takeAll(one);
  told = 0;
  one.release();
  assert.equal(told, 1);
  one.stop();
  other.stop();
});

test('the reports of workers with one source come once; each source has its own', async () => {
  const stage = new Stage();
  const slots = [stage.started(), stage.started(), stage.slots(SETTINGS, {})];
  slots[2]?.start(() => undefined);
  assert.deepEqual(stage.sensors, [null, null]);
  await stage.busy(slots[0] as TunedSlots, 1_010);
  assert.equal(stage.adjusted.length, 2);
  for (const one of slots) one.stop();
});

test('a worker with other settings is refused, and says which are in force', () => {
  const stage = new Stage();
  const one = stage.started();
  const other = stage.slots({ ...SETTINGS, targetCpu: 0.5 });
  assert.throws(() => other.start(() => undefined), /0\.5.*another worker of this process.*0\.9/s);
  one.stop();
  other.start(() => undefined);
  other.stop();
});

test('after the last worker nothing goes on, and the next one begins anew', async () => {
  const stage = new Stage();
  const slots = stage.started();
  await stage.busy(slots, 3_000);
  assert.ok(slots.total > 4);
  release(slots, slots.used);
  slots.stop();
  assert.equal(stage.clock.pending, 0);
  slots.start(() => undefined);
  assert.equal(slots.total, 4);
  slots.stop();
});

test('a job that ends after its worker stopped frees nothing twice', () => {
  const stage = new Stage();
  const [one, other] = [stage.started(), stage.started()];
  takeAll(one);
  one.stop();
  release(one, 4);
  assert.equal(takeAll(other), 4);
  other.stop();
});

test('a sensor that fails leaves the number as it is', async () => {
  const stage = new Stage();
  const slots = stage.started();
  stage.sensor.failure = new Error('no such file');
  await stage.busy(slots, 500);
  assert.equal(slots.total, 4);
  slots.stop();
});

test('a clock that is set back by an hour stops nothing', async () => {
  const stage = new Stage();
  const slots = stage.started();
  await stage.busy(slots, 500);
  stage.clock.setTime(stage.clock.now() - 3_600_000);
  await stage.busy(slots, 2_000);
  assert.ok(slots.total >= 8, `${slots.total}`);
  slots.stop();
});
