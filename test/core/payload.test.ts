import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Cipher, decodePayload, encodePayload, PayloadCodec } from '../../src/core/payload.ts';
import { holds, thrownBy } from './check.ts';

const WHAT = "the input of task 'thumbnail'";
const keys = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', 'constructor', 'toJSON', ''),
);

test('any JSON comes back as it went in', () => {
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, false),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      fc.string({ unit: 'binary' }),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.array(fc.tuple(keys, tie('json')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    ),
  }));
  holds(json, (value) => {
    assert.deepEqual(decodePayload(encodePayload(value, WHAT), WHAT), value);
  });
});

test('no value is no payload, and null is a payload', () => {
  assert.equal(encodePayload(undefined, WHAT), null);
  assert.equal(decodePayload(null, WHAT), undefined);
  assert.equal(encodePayload(null, WHAT), 'null');
  assert.equal(decodePayload('null', WHAT), null);
});

test('optional members that are undefined are left out, and dates and URLs are written as text', () => {
  const value = { a: undefined, b: 1, at: new Date(0), url: new URL('http://a.example/b') };
  assert.equal(
    encodePayload(value, WHAT),
    '{"b":1,"at":"1970-01-01T00:00:00.000Z","url":"http://a.example/b"}',
  );
});

class Point {
  readonly x = 1;
}

test('instances with plain data are written as their data', () => {
  assert.equal(encodePayload(new Point(), WHAT), '{"x":1}');
});

/** Values that JSON.stringify would drop, change or refuse, and what the error says about each. */
const REFUSED: readonly [value: unknown, problem: RegExp][] = [
  [Number.NaN, /is NaN, which JSON has no word for/],
  [Number.POSITIVE_INFINITY, /is Infinity/],
  [Number.NEGATIVE_INFINITY, /is -Infinity/],
  [10n, /is the bigint 10; send it as a string/],
  [Symbol('s'), /is a symbol/],
  [() => 1, /is a function/],
  [new Map([[1, 2]]), /is an object \(Map\)/],
  [new Set([1]), /is an object \(Set\)/],
  [new WeakMap(), /is an object \(WeakMap\)/],
  [new Uint8Array(2), /is an object \(Uint8Array\)/],
  [new ArrayBuffer(2), /is an object \(ArrayBuffer\)/],
  [Promise.resolve(), /is an object \(Promise\)/],
  [/x/, /is an object \(RegExp\)/],
  [new Error('no'), /is an object \(Error\)/],
  [Object(1), /is an object \(Number\)/],
  [new Date(Number.NaN), /is an invalid date/],
  [{ toJSON: () => ({ deep: Number.NaN }) }, /is NaN/],
];

test('a value that is not JSON is refused with its path, wherever it stands', () => {
  const places: readonly [(value: unknown) => unknown, string][] = [
    [(value) => value, ''],
    [(value) => ({ a: 1, b: value }), 'b'],
    [(value) => [0, value], '[1]'],
    [(value) => ({ list: [{ ok: 'x' }, { deep: value }] }), 'list[1].deep'],
    [(value) => [[[value]]], '[0][0][0]'],
  ];
  for (const [value, problem] of REFUSED) {
    for (const [place, path] of places) {
      const error = thrownBy(() => encodePayload(place(value), WHAT));
      assert.equal(error.code, 'PAYLOAD_NOT_JSON', error.stack);
      assert.match(error.message, /^The input of task 'thumbnail' cannot be written as JSON without loss: /);
      assert.match(error.message, problem);
      const found = String(error.details.path);
      assert.ok(found === path || found.startsWith(path), `${found} for ${path}`);
    }
  }
});

test('undefined and holes in arrays are refused, since JSON would make them null', () => {
  for (const list of [[undefined], new Array(1)]) {
    const error = thrownBy(() => encodePayload({ list }, WHAT));
    assert.match(error.message, /list\[0\] is undefined inside an array; use null/);
  }
});

test('a value that refers to itself is refused', () => {
  const loop: Record<string, unknown> = {};
  loop.self = { list: [loop] };
  assert.match(
    thrownBy(() => encodePayload(loop, WHAT)).message,
    /lies deeper than 200 levels, or refers to itself/,
  );
});

test('a value that turns into nothing is refused', () => {
  for (const value of [{ toJSON: () => undefined }, { toJSON: () => () => 1 }])
    assert.equal(thrownBy(() => encodePayload(value, WHAT)).code, 'PAYLOAD_NOT_JSON');
});

test('what toJSON throws is kept as the cause', () => {
  const cause = new Error('mine');
  const broken = {
    toJSON() {
      throw cause;
    },
  };
  const error = thrownBy(() => encodePayload({ broken }, WHAT));
  assert.deepEqual([error.code, error.cause], ['PAYLOAD_NOT_JSON', cause]);
});

test('the limit counts bytes, to the byte', () => {
  const texts = fc.string({ unit: fc.constantFrom('a', 'é', '€', '𝒳', '"', '\u0000'), maxLength: 60 });
  holds(texts, fc.integer({ min: -2, max: 2 }), (text, off) => {
    const bytes = new TextEncoder().encode(JSON.stringify(text)).length;
    const bytesMax = bytes + off;
    if (off >= 0) return assert.equal(encodePayload(text, WHAT, bytesMax), JSON.stringify(text));
    const error = thrownBy(() => encodePayload(text, WHAT, bytesMax));
    assert.equal(error.code, 'PAYLOAD_TOO_LARGE');
    assert.deepEqual(error.details, { what: WHAT, bytes, bytesMax });
    return assert.match(
      error.message,
      new RegExp(`takes ${bytes} bytes as JSON; the limit is ${bytesMax}\\.`),
    );
  });
});

test('a payload that cannot be read back says so, and how it starts', () => {
  const error = thrownBy(() => decodePayload('{"a":', WHAT));
  assert.deepEqual([error.code, error.details.starts], ['PAYLOAD_CORRUPT', '{"a":']);
  assert.ok(error.cause instanceof SyntaxError);
});

test('a codec seals what it encodes and opens what it decodes, and counts what is inside', () => {
  const cipher: Cipher = {
    seal: (text, { role, id }) => `${role} ${id}: ${text}`,
    open: (text, { role, id }) => text.slice(`${role} ${id}: `.length),
    digest: (text) => text,
  };
  const codec = new PayloadCodec(10, cipher);
  const place = { role: 'result', id: 'J' } as const;
  assert.equal(codec.encode('12345678', place, WHAT), 'result J: "12345678"');
  assert.equal(codec.decode('result J: "12345678"', place, WHAT), '12345678');
  assert.equal(codec.encode(undefined, place, WHAT), null);
  assert.equal(codec.decode(null, place, WHAT), undefined);
  assert.equal(thrownBy(() => codec.encode('123456789', place, WHAT)).code, 'PAYLOAD_TOO_LARGE');
});
