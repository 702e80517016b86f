import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prettyLine } from '../../src/telemetry/pretty-log.ts';

const ID = '0199a1c2-7b3d-7004-9f31-2c6d0e5b8a17';
const JOB = {
  level: 30,
  time: Date.UTC(2030, 0, 1),
  msg: 'a sentence',
  id: ID,
  task: 'send',
  attempt: 2,
  waitMs: 10,
  runMs: 1_500,
};

function pretty(record: object, columns = 120): string | null {
  return prettyLine(JSON.stringify(record), (_format, text) => text, columns);
}

test('the end of an attempt is one line that fits 80 columns', () => {
  const record = { ...JOB, event: 'job.completed' };
  assert.match(
    pretty(record) ?? '',
    new RegExp(`^\\d\\d:\\d\\d:\\d\\d {2}completed {2}send {2}${ID} {2}1\\.5 s, waited 10 ms$`),
  );
  assert.match(pretty(record, 70) ?? '', / {2}1\.5 s$/);
});

test('an error stands on a line of its own, with the attempt and what comes next', () => {
  const error = { name: 'TypeError', message: 'not\u001b[2J a function' };
  const retried = pretty({ ...JOB, event: 'job.retried', error, delayMs: 2_000 });
  assert.equal(
    retried?.split('\n')[1],
    '          attempt 2, next in 2 s: TypeError: not\\u001b[2J a function',
  );
  const failed = pretty({ ...JOB, event: 'job.failed', error, delayMs: 2_000 });
  assert.match(failed ?? '', /\n {10}attempt 2: TypeError/);
});

test('a dead letter shows the first frames of its error', () => {
  const stack = `TypeError: no\n${['a', 'b', 'c', 'd'].map((name) => `    at ${name} (file:///app/${name}.ts:1:1)`).join('\n')}`;
  const error = { name: 'TypeError', message: 'no', stack };
  const [, , ...frames] = pretty({ ...JOB, event: 'job.failed', error })?.split('\n') ?? [];
  assert.deepEqual(
    frames,
    ['a', 'b', 'c'].map((name) => `            at ${name} (file:///app/${name}.ts:1:1)`),
  );
  assert.equal(pretty({ ...JOB, event: 'job.retried', error })?.split('\n').length, 2);
});

test('other events are their sentence, and what the command says itself is left out', () => {
  assert.match(pretty({ ...JOB, event: 'queue.paused' }) ?? '', /^\d\d:\d\d:\d\d {2}a sentence$/);
  assert.equal(pretty({ ...JOB, event: 'worker.started' }), null);
});
