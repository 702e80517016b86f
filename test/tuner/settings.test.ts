import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TUNER_SETTINGS_DEFAULT, tunerSettings } from '../../src/tuner/settings.ts';
import { workerSettings } from '../../src/worker/settings.ts';

test('the defaults of the three kinds of slots', () => {
  const job = { targetCpu: 0.9, targetMemory: 0.8, slotsMin: 50, slotsMax: 500, rampMs: 50 };
  assert.deepEqual(TUNER_SETTINGS_DEFAULT, { job, inline: job, flow: { ...job, slotsMin: 10 } });
});

test('a target in per cent is refused with a hint, anything else that is no share without', () => {
  assert.throws(() => tunerSettings({ targetCpu: 90 }), /tuner\.targetCpu is 90; .*\(0\.9, not 90\)/);
  assert.throws(() => tunerSettings({ targetMemory: 1.5 }), /\(0\.015, not 1\.5\)/);
  for (const targetCpu of [0, -1, Number.NaN, 1_000])
    assert.throws(() => tunerSettings({ targetCpu }), /a share above 0 and up to 1\.$/);
});

test('one bound alone moves the default of the other out of its way; two must fit', () => {
  assert.equal(tunerSettings({ slotsMax: 8 }).slotsMin, 8);
  assert.equal(tunerSettings({ slotsMin: 600 }).slotsMax, 600);
  assert.throws(
    () => tunerSettings({ slotsMin: 9, slotsMax: 8 }),
    /slotsMin is 9; expected at most slotsMax/,
  );
});

test('a misspelt field is refused', () => {
  assert.throws(() => tunerSettings({ targetRam: 0.5 } as object), /targetRam.*targetMemory/);
});

test('off unless a target is given', () => {
  assert.equal(workerSettings({}).tuner, null);
  assert.equal(workerSettings({}, {}, { LONGSHORE_SLOTS_MIN: '5' }).tuner, null);
  assert.equal(workerSettings({}, {}, { LONGSHORE_TARGET_MEMORY: '0.5' }).tuner?.targetMemory, 0.5);
  assert.equal(workerSettings({ tuner: {} }).tuner?.targetCpu, 0.9);
});

test('code over file over environment, field by field', () => {
  const env = {
    LONGSHORE_TARGET_CPU: '.5',
    LONGSHORE_SLOTS_MIN: '1',
    LONGSHORE_SLOTS_MAX: '10',
    LONGSHORE_RAMP_MS: '1s',
  };
  const { tuner } = workerSettings({ tuner: { targetCpu: 0.7 } }, { tuner: { slotsMax: 20 } }, env);
  assert.deepEqual(tuner, { targetCpu: 0.7, targetMemory: 0.8, slotsMin: 1, slotsMax: 20, rampMs: 1_000 });
});

test('a fixed concurrency turns off a tuner that a weaker source asks for, and so does null or serial', () => {
  const env = { LONGSHORE_TARGET_CPU: '0.5' };
  assert.equal(workerSettings({ concurrency: 5 }, {}, env).tuner, null);
  assert.equal(workerSettings({ concurrency: 5 }, { tuner: { targetCpu: 0.5 } }).tuner, null);
  assert.equal(workerSettings({ tuner: null }, { tuner: { targetCpu: 0.5 } }, env).tuner, null);
  assert.equal(workerSettings({ serial: true, tuner: {} }).tuner, null);
  assert.equal(workerSettings({ tuner: {} }, { concurrency: 5 }).tuner?.targetCpu, 0.9);
});

test('what the environment says is read strictly', () => {
  assert.throws(
    () => workerSettings({}, {}, { LONGSHORE_TARGET_CPU: '90%' }),
    /LONGSHORE_TARGET_CPU is "90%"/,
  );
  assert.throws(
    () => workerSettings({}, {}, { LONGSHORE_TARGET_CPU: '90' }),
    /LONGSHORE_TARGET_CPU is 90; .*\(0\.9, not 90\)/,
  );
  assert.throws(
    () => workerSettings({}, {}, { LONGSHORE_TARGET_CPU: '0.9', LONGSHORE_SLOTS_MIN: '0.5' }),
    /LONGSHORE_SLOTS_MIN/,
  );
});
