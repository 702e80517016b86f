import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, tableLines } from '../../src/cli/table.ts';
import { absoluteTime, printable, relativeTime, truncate, width } from '../../src/cli/text.ts';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'COUNT', value: ({ count }) => String(count), align: 'right', optional: 1 },
  { title: 'NAME', value: ({ name }) => name, flexible: true },
];
const ROWS: readonly Row[] = [
  { id: 'a-long-id-0001', name: 'short', count: 7 },
  { id: 'b', name: 'a name that goes on for quite a while', count: 12_345 },
];
const plain = { titles: true, paint: (_format: unknown, text: string) => text };

test('columns are aligned, numbers to the right, with nothing behind the last one', () => {
  assert.deepEqual(tableLines(COLUMNS, ROWS, { ...plain, width: null }), [
    'ID              COUNT  NAME',
    'a-long-id-0001      7  short',
    'b               12345  a name that goes on for quite a while',
  ]);
});

test('on a narrow screen flexible columns shrink, then optional ones go; ids stay whole', () => {
  for (const screen of [40, 30, 27]) {
    const lines = tableLines(COLUMNS, ROWS, { ...plain, width: screen });
    assert.ok(
      lines.every((line) => width(line) <= screen),
      lines.join('\n'),
    );
    assert.ok(lines[1]?.startsWith('a-long-id-0001'));
    assert.ok(lines[2]?.endsWith('…'));
    assert.equal(lines[0]?.includes('COUNT'), screen > 33);
  }
  assert.ok(tableLines(COLUMNS, ROWS, { ...plain, width: 5 })[1]?.startsWith('a-long-id-0001'));
});

test('wide and combining characters are counted as terminals show them', () => {
  assert.deepEqual(['abc', '日本', 'e\u0301', '👍', ''].map(width), [3, 4, 1, 2, 0]);
  assert.equal(truncate('日本語', 5), '日本…');
  assert.equal(truncate('abc', 3), 'abc');
});

test('control characters and direction marks become visible', () => {
  assert.equal(printable('a\u001b[31mb\nc\td\u202e'), 'a\\u001b[31mb\\nc d\\u202e');
});

test('times are told from now', () => {
  const now = Date.UTC(2030, 0, 1);
  const told = [0, -900, -65_000, 30_400, 7_200_000].map((ms) => relativeTime(now + ms, now));
  assert.deepEqual(told, ['now', 'now', '1m 5s ago', 'in 30 s', 'in 2h']);
  assert.match(absoluteTime(now), /^(2029-12-31|2030-01-01) \d\d:\d\d:\d\d$/);
});
