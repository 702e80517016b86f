import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type EncryptionOptions, keyRingCipher, noKeys } from '../src/cipher.ts';
import { inputOf, type PayloadPlace } from '../src/core/payload.ts';
import { connect, defineTask, LongshoreError } from '../src/index.ts';
import { onEachStore, temporaryFolder } from './stage.ts';

const key = (): Uint8Array => randomBytes(32);
const code = (code: string) => (error: unknown) => error instanceof LongshoreError && error.code === code;
const RESULT: PayloadPlace = { role: 'result', id: 'J' };
const ring = (options: Partial<EncryptionOptions> = {}) =>
  keyRingCipher({ keys: [{ id: 'a', key: key() }], ...options });

test('what one key seals opens with the ring that holds it, and no two sealings are alike', () => {
  const cipher = ring();
  const text = '{"naïve":"☕\\u0000"}';
  const sealed = cipher.seal(text, RESULT);
  assert.notEqual(sealed, cipher.seal(text, RESULT));
  assert.equal(cipher.open(sealed, RESULT, 'the result'), text);
});

test('a rotated ring opens what the old key sealed and seals with the new one', () => {
  const [old, fresh] = [key(), key()];
  const sealed = keyRingCipher({ keys: [{ id: 'old', key: old }] }).seal('"x"', RESULT);
  const rotated = keyRingCipher({
    keys: [
      { id: 'new', key: fresh },
      { id: 'old', key: old },
    ],
  });
  assert.equal(rotated.open(sealed, RESULT, 'the result'), '"x"');
  assert.match(rotated.seal('"x"', RESULT), /^sealed:1:new:/);
});

test('a missing key and an altered payload are told apart, and no key is ever shown', () => {
  const secret = key();
  const sealed = keyRingCipher({ keys: [{ id: 'a', key: secret }] }).seal('"x"', RESULT);
  const open = (cipher: { open: typeof noKeys.open }) => () => cipher.open(sealed, RESULT, 'the result');
  assert.throws(open(ring({ keys: [{ id: 'b', key: key() }] })), code('KEY_UNKNOWN'));
  assert.throws(open(noKeys), code('KEY_UNKNOWN'));
  assert.throws(open(ring()), code('PAYLOAD_CORRUPT'));
  assert.throws(
    () => ring({ keys: [{ id: 'a', key: secret.subarray(1) }] }),
    (error: LongshoreError) =>
      error.code === 'OPTION_INVALID' &&
      /31 bytes/.test(error.message) &&
      !error.message.includes(Buffer.from(secret).toString('base64').slice(0, 8)),
  );
  assert.throws(() => ring({ keys: [] }), code('OPTION_INVALID'));
  assert.throws(() => ring({ uniqueSecret: 'c2hvcnQ=' }), /uniqueSecret has 5 bytes/);
});

test('sealed text opens in its own place only, and no part of it can be exchanged', () => {
  const cipher = ring();
  const own = inputOf({ task: 'pay', id: 'J' });
  const sealed = cipher.seal('"x"', own);
  const others: PayloadPlace[] = [
    inputOf({ task: 'pay', id: 'K' }),
    inputOf({ task: 'refund', id: 'J' }),
    { role: 'progress', id: 'J' },
    RESULT,
  ];
  for (const place of others)
    assert.throws(() => cipher.open(sealed, place, 'the input'), code('PAYLOAD_CORRUPT'));
  // Whose it is stands in the text, and is part of what the tag protects.
  const relabelled = sealed.replace(':j:', ':t:');
  assert.throws(() => cipher.open(relabelled, own, 'the input'), code('PAYLOAD_CORRUPT'));
  const short = sealed.slice(0, -4);
  assert.throws(() => cipher.open(short, own, 'the input'), code('PAYLOAD_CORRUPT'));
});

test('an input without a job opens for every job of its task, and for no other task', () => {
  const cipher = ring();
  const sealed = cipher.seal('"x"', inputOf({ task: 'pay', id: null }));
  assert.equal(cipher.open(sealed, inputOf({ task: 'pay', id: 'K' }), 'the input'), '"x"');
  assert.throws(
    () => cipher.open(sealed, inputOf({ task: 'refund', id: 'K' }), 'the input'),
    code('PAYLOAD_CORRUPT'),
  );
});

test('plain text is taken where acceptPlain says so, or where there are no keys', () => {
  const plain = '{"plain":1}';
  assert.throws(() => ring().open(plain, RESULT, 'the result'), code('PAYLOAD_PLAIN'));
  assert.equal(ring({ acceptPlain: true }).open(plain, RESULT, 'the result'), plain);
  assert.equal(noKeys.open(plain, RESULT, 'the result'), plain);
  assert.throws(() => ring({ acceptPlain: 1 as never }), /acceptPlain is 1; expected true or false/);
});

test('the digest of an input cannot be computed without a key, and outlives a rotation', () => {
  const [old, fresh] = [key(), key()];
  const before = keyRingCipher({ keys: [{ id: 'old', key: old }] });
  const during = keyRingCipher({
    keys: [
      { id: 'new', key: fresh },
      { id: 'old', key: old },
    ],
  });
  const after = keyRingCipher({ keys: [{ id: 'new', key: fresh }], uniqueSecret: old });
  const digest = before.digest('"x"');
  assert.notEqual(digest, noKeys.digest('"x"'));
  assert.notEqual(digest, ring().digest('"x"'));
  assert.equal(during.digest('"x"'), digest);
  assert.equal(after.digest('"x"'), digest);
});

test('with encryption on, no payload stands readable in the file, and the job runs and answers as without', async (t) => {
  const folder = await temporaryFolder(t);
  const url = `sqlite:${join(folder, 'jobs.db')}`;
  const keys = [{ id: 'k1', key: key() }];
  const task = defineTask({
    name: 'secret',
    run({ input, progress, log }) {
      progress({ marker: 'progress-marker' });
      log('a line', { marker: 'log-marker' });
      return { marker: `result-marker-${(input as { word: string }).word}` };
    },
  });
  const longshore = await connect(url, { encryption: { keys } });
  const job = await longshore.enqueue(task, { word: 'input-marker' }, { unique: {} });
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  assert.deepEqual(await job.result(), { marker: 'result-marker-input-marker' });
  const detail = await longshore.jobs.get(job.id);
  assert.deepEqual(detail?.progress, { marker: 'progress-marker' });
  assert.deepEqual(detail?.logs[0]?.data, { marker: 'log-marker' });
  assert.ok(!detail?.uniqueKey?.includes(noKeys.digest('task/secret/{"word":"input-marker"}')));
  await longshore.close();
  assert.ok(!readFileSync(join(folder, 'jobs.db')).includes('-marker'), 'a payload is readable in the file');

  const blind = await connect(url);
  await assert.rejects(
    blind.jobs.handle(job.id).result(),
    /encrypted with key 'k1'; this connection has no keys/,
  );
  await blind.close();
});

onEachStore(
  'a replaced job opens the input it was given last, and a resolved one its result',
  async (stage) => {
    const encryption = { keys: [{ id: 'k1', key: key() }] };
    const longshore = await stage.connect({ encryption });
    const seen: unknown[] = [];
    const task = defineTask({
      name: 'secret',
      attempts: 1,
      run({ input }) {
        seen.push(input);
        throw new Error('refused');
      },
    });
    for (const mode of ['replace', 'debounce'] as const) {
      const unique = { key: mode, mode, periodMs: 1 };
      const first = await longshore.enqueue(task, 1, { unique, delayMs: 60_000 });
      const second = await longshore.enqueue(task, 2, { unique });
      assert.equal(second.id, first.id);
      assert.equal((await longshore.jobs.get(first.id))?.input, 2);
      const worker = longshore.worker({ tasks: [task] });
      await worker.start();
      assert.equal((await first.ended()).state, 'failed');
      await worker.stop();
      await longshore.jobs.resolve([first.id], 'by hand');
      assert.equal(await first.result(), 'by hand');
    }
    assert.deepEqual(seen, [2, 2]);
  },
);
