import assert from 'node:assert/strict';
import { encodePayload } from '../../core/payload.ts';
import type { It } from './area.ts';
import { attemptError, completed, ids, type Ordered, only, retried, spec, T0 } from './trial.ts';

/** Text that stores are known to damage: quotes, surrogate pairs, combining marks, separators, right-to-left. */
const TEXTS: Readonly<Record<string, string>> = {
  empty: '',
  quotes: `'single' "double" \`back\` \\slash\\ %s $1 ?1 :name {}`,
  'control characters': '\u0001\u001b\u007f\u0080\r\n\t',
  'line separators': 'a\u2028b\u2029c',
  'characters beyond the basic plane': '𝒳 👩‍👩‍👧‍👦 𠜎',
  'combining marks': 'é e\u0301 ﬁ \u0301',
  'right-to-left text': 'שלום \u202eabc\u202c',
  noncharacters: '\ufeff\ufffe\uffff\ufffd',
};

export function payloadsArea(it: It): void {
  for (const [what, text] of Object.entries(TEXTS)) {
    it(`payloads hold ${what}`, async (trial) => {
      const payload = encodePayload({ [text]: text, list: [text] }, 'the payload');
      const lease = await trial.start({ input: payload });
      assert.equal(lease.input, payload);
      const { id, token } = lease;
      await trial.store.annotate([{ id, token, progress: payload }]);
      await trial.settle(lease, completed(payload));
      const { input, progress, result } = await trial.job(id);
      assert.deepEqual([input, progress, result], [payload, payload, payload]);
    });

    it(`errors, log lines, reasons and names hold ${what}`, async (trial) => {
      const name = `n${text}`;
      const key = `store/${text}`;
      const lease = await trial.start({
        queue: name,
        task: name,
        unique: { key, mode: 'existing', periodMs: 0 },
      });
      const { id, token } = lease;
      assert.deepEqual([lease.queue, lease.task], [name, name]);
      const line = { at: T0, attempt: 1, message: text, data: JSON.stringify(text) };
      await trial.store.annotate([{ id, token, logs: [line] }]);
      const error = { ...attemptError(text), stack: text, name: text, code: text };
      await trial.settle(lease, { type: 'retried', delayMs: 0, error });
      const command: Ordered = { type: 'reprioritize', id, priority: 1, by: name, why: text };
      await trial.control(command);
      const trail = await trial.store.trail(id);
      assert.deepEqual(trail?.errors, [error]);
      assert.deepEqual(trail?.logs, [line]);
      assert.deepEqual([trail?.audit[0]?.by, trail?.audit[0]?.why], [name, text]);
      assert.equal((await trial.job(id)).uniqueKey, key);
      assert.deepEqual(await trial.enqueue({ unique: { key, mode: 'existing', periodMs: 0 } }), {
        status: 'existing',
        id,
        state: 'ready',
      });
      assert.equal(only((await trial.store.list({ queue: name, task: name, limit: 5 })).jobs).id, id);
    });
  }

  it('payloads hold NUL, which JSON escapes', async (trial) => {
    const payload = encodePayload({ 'a\u0000b': 'before\u0000after' }, 'the payload');
    const lease = await trial.start({ input: payload });
    assert.equal(lease.input, payload);
    await trial.settle(lease, completed(payload));
    assert.equal((await trial.job(lease.id)).result, payload);
  });

  it('no payload, the payload null and the empty object are three things', async (trial) => {
    for (const input of [null, 'null', '{}']) {
      const lease = await trial.start({ input });
      assert.equal(lease.input, input);
      await trial.settle(lease, completed(input));
      assert.equal((await trial.job(lease.id)).result, input);
    }
  });

  it('a payload of 1 MiB comes back whole', async (trial) => {
    const payload = JSON.stringify('ä'.repeat(524_287));
    assert.equal(new TextEncoder().encode(payload).length, 1_048_576);
    const lease = await trial.start({ input: payload });
    assert.ok(lease.input === payload);
    await trial.settle(lease, completed(payload));
    assert.ok((await trial.job(lease.id)).result === payload);
  });

  it('large payloads in many calls at once, and in one call, go through every verb, in call order', async (trial) => {
    const { store } = trial;
    const payload = JSON.stringify('x'.repeat(1_000_000));
    const specs = Array.from({ length: 12 }, () => spec({ input: payload }));
    const [one, ...others] = await Promise.all([
      store.enqueue(specs.slice(0, 6)),
      ...specs.slice(6).map((each) => store.enqueue([each])),
    ]);
    assert.deepEqual(ids([...(one ?? []), ...others.flat()]), ids(specs));
    const leases = await trial.claim({ limit: 12 });
    assert.deepEqual(ids(leases), ids(specs));
    assert.ok(leases.every(({ input }) => input === payload));
    const held = leases.map(({ id, token }) => ({ id, token }));
    const noted = await store.annotate(held.map((lease) => ({ ...lease, progress: payload })));
    assert.ok(noted.every((receipt) => receipt === 'noted'));
    const ends = held.map((lease) => ({ ...lease, outcome: completed(payload) }));
    const settled = await Promise.all([
      store.settle(ends.slice(0, 6)),
      ...ends.slice(6).map((end) => store.settle([end])),
    ]);
    assert.ok(settled.flat().every(({ status }) => status === 'settled'));
    const kept = await store.get(ids(specs));
    assert.ok(kept.every((job) => job?.result === payload && job.progress === payload));
  });

  it('long errors and many of them are kept in order', async (trial) => {
    const id = await trial.add({ attemptsMax: 50 });
    for (let attempt = 1; attempt <= 20; attempt += 1)
      await trial.settle(await trial.take(), retried(0, `${attempt} ${'x'.repeat(4_000)}`));
    const messages = (await trial.errors(id)).map(({ message }) => Number.parseInt(message, 10));
    assert.deepEqual(
      messages,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });
}
