import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packCompletions, settlementsOf } from '../../../src/store/sqlite/completions.ts';
import type { Lease, Settlement } from '../../../src/store/store.ts';
import { Place } from './place.ts';
import { completed, request, spec } from './specs.ts';

/** What JSON writes in a way of its own, or two writers of JSON may write in two ways. */
const ODD = ['"', '\\', ',', '","', '[1', 'é', '\u2028', '\u007f', '\n', '😀', '/', "'", '{}', 'null'];
const PLAIN = Array.from({ length: 20 }, (_, index) => `plain${index}`);

test('what a claim brings is what was enqueued, whatever characters it has', async (t) => {
  const store = await (await Place.make(t)).store();
  const specs = [...ODD, ...PLAIN].map((text, index) =>
    spec({ id: text, task: text, input: index % 7 === 0 ? null : text, attemptsMax: 1 + (index % 3) }),
  );
  await store.enqueue([...specs, ...PLAIN.map((text) => spec({ task: 'a,a', input: `${text},${text}` }))]);
  const { leases } = await store.claim(request({ limit: 100 }));
  const told = leases.map(({ id, task, input, attemptsMax }) => ({ id, task, input, attemptsMax }));
  assert.deepEqual(
    told.slice(0, specs.length),
    specs.map(({ id, task, input, attemptsMax }) => ({ id, task, input, attemptsMax })),
  );
  assert.deepEqual(
    told.slice(specs.length).map(({ task, input }) => [task, input]),
    PLAIN.map((text) => ['a,a', `${text},${text}`]),
  );
});

test('a run of jobs is completed whatever characters its ids and results have', async (t) => {
  const store = await (await Place.make(t)).store();
  const texts = [...ODD, ...PLAIN];
  await store.enqueue(texts.map((id) => spec({ id })));
  const { leases } = await store.claim(request({ limit: 100 }));
  const settlements = leases.map((lease, index) => completed(lease, texts[texts.length - 1 - index]));
  assert.equal(packCompletions(settlements)?.runs.length, 1);
  const receipts = await store.settle(settlements);
  assert.deepEqual(new Set(receipts.map(({ status }) => status)), new Set(['settled']));
  const jobs = await store.get(texts);
  assert.deepEqual(
    jobs.map((job) => [job?.state, job?.result]),
    texts.toReversed().map((text) => ['completed', text]),
  );
});

test('in a run, a token that was given for another job is lost, and keeps no other from being settled', async (t) => {
  const store = await (await Place.make(t)).store();
  await store.enqueue(PLAIN.map((id) => spec({ id })));
  const { leases } = await store.claim(request({ limit: 100 }));
  const swapped = leases.map((lease) => completed(lease, '1'));
  const [third, fourth] = [swapped[3], swapped[4]] as [Settlement, Settlement];
  swapped[3] = { ...third, id: fourth.id };
  swapped[4] = { ...fourth, id: third.id };
  assert.equal(packCompletions(swapped)?.runs.length, 1);
  const receipts = await store.settle(swapped);
  assert.deepEqual(
    receipts.map(({ status }) => status),
    swapped.map((_, index) => (index === 3 || index === 4 ? 'lost' : 'settled')),
  );
  const again = await store.settle(leases.map((lease) => completed(lease, '2')));
  assert.deepEqual(
    again.map(({ status }) => status),
    leases.map((_, index) => (index === 3 || index === 4 ? 'settled' : 'lost')),
  );
});

test('runs end where a job is missing or was claimed by another claim, and come apart as they were', () => {
  const lease = (batch: number, seq: number) => ({ id: `id${seq}`, token: `${batch}.${seq}` }) as Lease;
  const range = (batch: number, from: number, to: number, result: string | null) =>
    Array.from({ length: to - from + 1 }, (_, index) => completed(lease(batch, from + index), result));
  const settlements = [...range(1, 5, 20, null), ...range(1, 22, 30, '"r"'), ...range(2, 31, 60, null)];
  const packed = packCompletions(settlements);
  assert.deepEqual(
    packed?.runs.map(({ batch, first, jobs }) => [batch, first, jobs]),
    [
      [1, 5, 16],
      [1, 22, 9],
      [2, 31, 30],
    ],
  );
  assert.deepEqual(packed?.runs.flatMap(settlementsOf), settlements);
});

test('what makes no runs of any length, has other outcomes or large results is not packed so', () => {
  const settle = (token: string, result: string | null = null): Settlement =>
    completed({ id: token, token } as Lease, result);
  const run = Array.from({ length: 20 }, (_, index) => settle(`1.${index + 1}`));
  assert.equal(packCompletions(run)?.runs.length, 1);
  const scattered = run.map((_, index) => settle(`1.${index * 2 + 1}`));
  const released = { id: '1.21', token: '1.21', outcome: { type: 'released' } } as const;
  for (const others of [
    scattered,
    [...run, released],
    [...run, settle('nonsense')],
    [...run, settle('1.21', 'x'.repeat(1_000_001))],
  ])
    assert.equal(packCompletions(others), null);
});
