import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packAlike } from '../../../src/store/sqlite/alike.ts';
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

test('jobs that are alike are one text, and come in as they are: ids twice or there already are found, not added', async (t) => {
  const store = await (await Place.make(t)).store();
  await store.enqueue([spec({ id: 'plain7', input: 'before' })]);
  const specs = ['10', ...ODD, '9', ...PLAIN, 'plain3', '9'].map((id, index) =>
    spec({ id, input: index % 7 === 0 ? null : id }),
  );
  assert.equal(packAlike(specs)?.texts.length, 1);
  const receipts = await store.enqueue(specs);
  const found = specs.flatMap(({ id }, index) =>
    receipts[index]?.status === 'existing' ? [`${id} ${index}`] : [],
  );
  assert.deepEqual(found, ['plain7 23', 'plain3 36', '9 37']);
  const { leases } = await store.claim(request({ limit: 100 }));
  const expected = specs.filter(({ id }, index) => id !== 'plain7' && index < 36);
  assert.deepEqual(
    leases.map(({ id, input }) => [id, input]),
    [['plain7', 'before'], ...expected.map(({ id, input }) => [id, input])],
  );
});

test('of many jobs that are alike only the text in which one exists is added job by job', async (t) => {
  const store = await (await Place.make(t)).store();
  const specs = Array.from({ length: 2_500 }, (_, index) => spec({ id: `many${index}`, delayMs: 60_000 }));
  assert.equal(packAlike(specs)?.texts.length, 3);
  await store.enqueue([spec({ id: 'many1200' })]);
  const receipts = await store.enqueue(specs);
  assert.deepEqual(
    receipts,
    specs.map(({ id }, index) =>
      index === 1200
        ? { status: 'existing', id, state: 'ready' }
        : { status: 'created', id, state: 'scheduled' },
    ),
  );
  const again = await store.enqueue(specs);
  assert.deepEqual(new Set(again.map(({ status }) => status)), new Set(['existing']));
});

test('jobs that differ in more than id and input, have a key or large inputs are not packed so', () => {
  const alike = PLAIN.map((id) => spec({ id, input: id }));
  assert.equal(packAlike(alike)?.packed, PLAIN.length);
  for (const other of [
    spec({ queue: 'other' }),
    spec({ task: 'other' }),
    spec({ priority: 1 }),
    spec({ attemptsMax: 9 }),
    spec({ delayMs: 1 }),
    spec({ dueAt: 1 }),
    spec({ key: 'k' }),
    spec({ unique: { key: 'u', mode: 'existing', periodMs: 0 } }),
    spec({ input: 'x'.repeat(1_001) }),
  ])
    assert.equal(packAlike([...alike, other]), null);
});
