import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keyRingCipher, noKeys } from '../src/cipher.ts';
import { connect, defineTask, LongshoreError } from '../src/index.ts';

const key = (): Uint8Array => randomBytes(32);

test('what one key seals opens with the ring that holds it, and no two sealings are alike', () => {
  const ring = keyRingCipher({ keys: [{ id: 'a', key: key() }] });
  const text = '{"naïve":"☕\\u0000"}';
  const sealed = ring.seal(text);
  assert.notEqual(sealed, ring.seal(text));
  assert.equal(ring.open(sealed, 'the input'), text);
  assert.equal(ring.open('{"plain":1}', 'the input'), '{"plain":1}');
});

test('a rotated ring opens what the old key sealed and seals with the new one', () => {
  const [old, fresh] = [key(), key()];
  const sealed = keyRingCipher({ keys: [{ id: 'old', key: old }] }).seal('"x"');
  const rotated = keyRingCipher({
    keys: [
      { id: 'new', key: fresh },
      { id: 'old', key: old },
    ],
  });
  assert.equal(rotated.open(sealed, 'the input'), '"x"');
  assert.match(rotated.seal('"x"'), /^sealed:1:new:/);
});

test('a missing key and an altered payload are told apart, and no key is ever shown', () => {
  const secret = key();
  const sealed = keyRingCipher({ keys: [{ id: 'a', key: secret }] }).seal('"x"');
  const other = keyRingCipher({ keys: [{ id: 'b', key: key() }] });
  const wrong = keyRingCipher({ keys: [{ id: 'a', key: key() }] });
  const code = (code: string) => (error: unknown) => error instanceof LongshoreError && error.code === code;
  assert.throws(() => other.open(sealed, 'the input'), code('KEY_UNKNOWN'));
  assert.throws(() => noKeys.open(sealed, 'the input'), code('KEY_UNKNOWN'));
  assert.throws(() => wrong.open(sealed, 'the input'), code('PAYLOAD_CORRUPT'));
  assert.throws(
    () => keyRingCipher({ keys: [{ id: 'a', key: secret.subarray(1) }] }),
    (error: LongshoreError) =>
      error.code === 'OPTION_INVALID' &&
      /31 bytes/.test(error.message) &&
      !error.message.includes(Buffer.from(secret).toString('base64').slice(0, 8)),
  );
  assert.throws(() => keyRingCipher({ keys: [] }), code('OPTION_INVALID'));
});

test('with encryption on, no payload stands readable in the file, and the job runs and answers as without', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-sealed-'));
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
  await longshore.close();
  assert.ok(!readFileSync(join(folder, 'jobs.db')).includes('-marker'), 'a payload is readable in the file');

  const blind = await connect(url);
  await assert.rejects(
    blind.jobs.handle(job.id).result(),
    /encrypted with key 'k1'; this connection has no keys/,
  );
  await blind.close();
  rmSync(folder, { recursive: true });
});
