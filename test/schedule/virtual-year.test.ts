/** A year of ticks in five zones, through the rule of schedules, against Python's zoneinfo (reference.py). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newSchedule } from '../../src/core/schedule/actions.ts';
import type { ScheduleData } from '../../src/core/schedule/data.ts';
import { decideSchedule } from '../../src/core/schedule/decide.ts';
import { type CronLibrary, loadCron } from '../../src/schedule/cron.ts';

type Answer = Record<string, Record<string, [count: number, digest: string]>>;

/** What reference.py said, where there is no Python to ask. */
const RECORDED = JSON.parse(readFileSync(new URL('year-2026.json', import.meta.url), 'utf8')) as Answer;
const YEAR = 2026;
const ZONES = Object.keys(RECORDED);
const EXPRESSIONS = Object.keys(RECORDED['Europe/Zurich'] ?? {});
const TARGET: ScheduleData['target'] = {
  ...{ kind: 'task', task: 't', queue: 'q', priority: 0, attemptsMax: 1 },
  ...{ key: null, input: null, meta: null },
};

test('a virtual year in five zones ticks as the reference says', async () => {
  const cron = await loadCron();
  assert.ok(ZONES.length === 5 && EXPRESSIONS.length > 10);
  for (const zone of ZONES)
    for (const expression of EXPRESSIONS) {
      const times = yearOf(expression, zone, cron);
      const digest = createHash('sha256').update(times.join(',')).digest('hex');
      assert.deepEqual([times.length, digest], RECORDED[zone]?.[expression], `${expression} in ${zone}`);
    }
});

test('the recorded answers are those of the reference', async (t) => {
  const answer = await askPython();
  if (answer === null) t.skip('there is no Python with zoneinfo');
  else assert.deepEqual(answer, RECORDED);
});

/** Each decision is made when the one before said so. In seconds. */
function yearOf(expression: string, zone: string, cron: CronLibrary): number[] {
  const data: ScheduleData = {
    when: { kind: 'cron', expression, zone },
    ...{
      start: null,
      end: Date.UTC(YEAR + 1, 0, 1),
      jitterMs: 0,
      overlap: 'allow',
      missed: 'all',
      missedMax: 1,
    },
    target: TARGET,
  };
  const action = { type: 'set', data, owner: null, note: null, generation: 'g', by: 'test' } as const;
  let value = newSchedule('s', action, Date.UTC(YEAR, 0, 1) - 1, cron);
  const times: number[] = [];
  for (let wakeAt = value.next; wakeAt !== null; ) {
    const decision = decideSchedule({ value, now: wakeAt, cron, idOf: (as) => as });
    times.push(...decision.starts.map(({ scheduledAt }) => scheduledAt / 1_000));
    ({ value, wakeAt } = decision);
  }
  return times;
}

/** Null where it cannot be asked. */
async function askPython(): Promise<Answer | null> {
  const python = spawn('python3', [fileURLToPath(new URL('reference.py', import.meta.url))]);
  let text = '';
  python.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  python.stdin.on('error', () => undefined);
  python.stdin.end(JSON.stringify({ year: YEAR, zones: ZONES, expressions: EXPRESSIONS }));
  const code = await new Promise<number | null>((resolve) => {
    python.once('error', () => resolve(null));
    python.once('close', resolve);
  });
  return code === 0 ? (JSON.parse(text) as Answer) : null;
}
