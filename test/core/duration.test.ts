import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../src/core/duration.ts';
import { holds, thrownBy } from './check.ts';

const UNITS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

test('a text of amounts and units is their sum', () => {
  const parts = fc.array(
    fc.tuple(fc.nat(1_000), fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[]))),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  holds(parts, (list) => {
    const sum = list.reduce((total, [amount, unit]) => total + amount * UNITS[unit], 0);
    assert.equal(parseDuration(list.map((part) => part.join('')).join('')), sum);
  });
});

test('a bare number is milliseconds, and fractions are taken', () => {
  for (const [text, ms] of [
    ['0', 0],
    ['250', 250],
    ['1.5', 1.5],
    ['1.5h', 5_400_000],
    ['0.25s', 250],
  ] as const)
    assert.equal(parseDuration(text), ms);
});

test('what is written for people reads back within a twentieth', () => {
  holds(fc.double({ min: 0.001, max: 1e12, noNaN: true }), (ms) => {
    const text = formatDuration(ms);
    const compact = text.replaceAll(' ', '');
    const back = compact.endsWith('µs') ? Number.parseFloat(compact) / 1_000 : parseDuration(compact);
    assert.ok(Math.abs(back - ms) <= ms / 20 + 0.000_5, `${ms} is written ${text}`);
  });
});

test('no amount reaches the next unit', () => {
  const LIMITS: Readonly<Record<string, number>> = { µs: 1_000, ms: 1_000, s: 60, m: 60, h: 24 };
  const edges = fc.constantFrom(1, 1_000, 60_000, 3_600_000, 86_400_000);
  holds(edges, fc.double({ min: -60, max: 60, noNaN: true }), (edge, off) => {
    for (const [, amount, unit = ''] of formatDuration(Math.max(0.001, edge + off / 59)).matchAll(
      /([\d.]+) ?(\D+?)(?= |$)/g,
    ))
      assert.ok(
        Number(amount) < (LIMITS[unit] ?? Number.POSITIVE_INFINITY),
        `${edge} + ${off / 59}: ${amount} ${unit}`,
      );
  });
});

test('durations are written as people read them', () => {
  const examples: readonly [number, string][] = [
    [0, '0 ms'],
    [0.85, '850 µs'],
    [4.24, '4.2 ms'],
    [42.4, '42 ms'],
    [999.7, '1 s'],
    [3_500, '3.5 s'],
    [59_999, '1m'],
    [125_000, '2m 5s'],
    [5_400_000, '1h 30m'],
    [86_399_999, '1d'],
    [273_600_000, '3d 4h'],
  ];
  for (const [ms, text] of examples) assert.equal(formatDuration(ms), text);
});

test('anything else is refused, naming field and value', () => {
  for (const text of [
    '',
    ' ',
    '5 s',
    'fast',
    '-1s',
    '1e3',
    '1y',
    '5sx',
    's',
    '1.s',
    '1,5s',
    'NaN',
    'Infinity',
  ]) {
    const error = thrownBy(() => parseDuration(text, '--grace'));
    assert.equal(error.code, 'OPTION_INVALID');
    assert.ok(
      error.message.startsWith(`--grace is ${JSON.stringify(text)}; expected a duration`),
      error.message,
    );
  }
});
