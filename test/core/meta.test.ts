import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeMeta, encodeMeta, type JobMeta, NO_META } from '../../src/core/meta.ts';
import { thrownBy } from './check.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('nothing to keep is null, and null is nothing', () => {
  assert.equal(encodeMeta({}), null);
  assert.equal(encodeMeta({ meta: {} }), null);
  assert.equal(encodeMeta({ meta: { tags: undefined } as never }), null);
  assert.deepEqual(decodeMeta(null, 'j'), NO_META);
});

test('what is kept comes back', () => {
  const meta: JobMeta = {
    correlationId: 'order/7',
    traceparent: TRACEPARENT,
    tracestate: 'vendor=1',
    tags: ['a', 'ü'],
  };
  const backoff = { type: 'linear', delayMs: 5, maxMs: 50, jitter: 0.5 } as const;
  const text = encodeMeta({ meta, backoff, timeoutMs: 7.5 });
  assert.deepEqual(decodeMeta(text, 'j'), { ...NO_META, ...meta, backoff, timeoutMs: 7.5 });
  assert.equal(encodeMeta({ backoff: 5 }), '{"backoff":5}');
  assert.deepEqual(decodeMeta('{"backoff":5}', 'j'), { ...NO_META, backoff: 5 });
});

test('the largest values pass, and those beyond them do not', () => {
  const tags = new Array(16).fill('t'.repeat(100));
  assert.ok(encodeMeta({ meta: { tags, correlationId: 'c'.repeat(200), tracestate: 's'.repeat(512) } }));
  const refused: readonly [unknown, RegExp][] = [
    [{ tags: [...tags, 't'] }, /^meta\.tags is an array of 17; expected an array of at most 16 tags\.$/],
    [
      { tags: ['t'.repeat(101)] },
      /^meta\.tags\[0\] is "t+\.\.\."; expected a string of 1 to 100 characters\.$/,
    ],
    [{ tags: ['a', ''] }, /^meta\.tags\[1\] is ""/],
    [{ tags: ['a', 5] }, /^meta\.tags\[1\] is 5/],
    [{ tags: 'a' }, /^meta\.tags is "a"/],
    [{ tags: ['a\nb'] }, /without control characters such as U\+000A/],
    [{ correlationId: '' }, /^meta\.correlationId is ""/],
    [{ correlationId: 'c'.repeat(201) }, /1 to 200 characters/],
    [{ correlationId: null }, /^meta\.correlationId is null/],
    [{ traceparent: '00-1-2-3' }, /^meta\.traceparent is "00-1-2-3"; expected version-traceId/],
    [{ tracestate: 's'.repeat(513) }, /1 to 512 characters/],
    [
      { tag: ['a'] },
      /^meta\.tag is an array of 1; expected to be left out: meta has correlationId, traceparent, tracestate, tags\.$/,
    ],
    [['a'], /^meta is an array of 1; expected an object/],
    [null, /^meta is null/],
    ['a', /^meta is "a"/],
  ];
  for (const [meta, message] of refused) {
    const error = thrownBy(() => encodeMeta({ meta: meta as JobMeta }));
    assert.equal(error.code, 'OPTION_INVALID');
    assert.match(error.message, message);
  }
});

test('a backoff or timeout of one job is checked, and a function cannot be kept', () => {
  const refused: readonly [object, RegExp][] = [
    [
      { backoff: () => 5 },
      /^backoff is function backoff; expected .* a function cannot be stored with a job; give it to the task\.$/,
    ],
    [{ backoff: { type: 'cubic', delayMs: 1 } }, /^backoff\.type is "cubic"/],
    [{ backoff: null }, /^backoff is null/],
    [{ timeoutMs: 0 }, /^timeoutMs is 0; expected more than 0 milliseconds\.$/],
    [{ timeoutMs: '5' }, /^timeoutMs is "5"/],
  ];
  for (const [options, message] of refused) {
    const error = thrownBy(() => encodeMeta(options));
    assert.equal(error.code, 'OPTION_INVALID');
    assert.match(error.message, message);
  }
});

test('a damaged meta is an error that names the job', () => {
  for (const text of [
    '{',
    'null',
    '5',
    '{"tags":"a"}',
    '{"backoff":{}}',
    '{"timeoutMs":"5"}',
    '{"correlationId":5}',
  ]) {
    const error = thrownBy(() => decodeMeta(text, 'j7'));
    assert.equal(error.code, 'PAYLOAD_CORRUPT');
    assert.match(error.message, /^The stored meta of job j7 cannot be read back: /);
  }
});

test('what a later version keeps besides is passed over', () => {
  assert.deepEqual(decodeMeta('{"tags":["a"],"new":1}', 'j'), { ...NO_META, tags: ['a'] });
});

test('a stored trace context that is malformed is none, and the rest of the meta stays', () => {
  for (const traceparent of ['nonsense', '00-1-2-3', 7, null]) {
    const stored = JSON.stringify({ correlationId: 'request-7', traceparent, tracestate: 'a=1' });
    const { correlationId, traceparent: read, tracestate } = decodeMeta(stored, 'job');
    assert.deepEqual([correlationId, read, tracestate], ['request-7', null, null]);
  }
  const stored = JSON.stringify({ traceparent: TRACEPARENT, tracestate: 'x'.repeat(600) });
  assert.deepEqual(decodeMeta(stored, 'job').tracestate, null);
});
