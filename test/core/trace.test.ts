import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addUp, type KeptJob, phasesOf, timed } from '../../src/core/trace.ts';

const job = (id: string, times: Partial<KeptJob> = {}): KeptJob => ({
  id,
  run: null,
  createdAt: 0,
  dueAt: 0,
  startedAt: null,
  finishedAt: null,
  ran: null,
  ...times,
});

const ran = (startedAt: number, runMs: number) => ({ attempt: 1, worker: 'w', startedAt, runMs });

test('the phases of a job follow each other without gaps', () => {
  const phases = phasesOf(
    job('a', { createdAt: 10, dueAt: 30, startedAt: 45, finishedAt: 100, ran: ran(50, 40) }),
    4,
    200,
  );
  assert.deepEqual(
    phases.map(({ name, from, to }) => [name, from, to]),
    [
      ['enqueue', 4, 10],
      ['delay', 10, 30],
      ['wait', 30, 45],
      ['claim', 45, 50],
      ['run', 50, 90],
      ['settle', 90, 100],
    ],
  );
});

test('where the run is not kept, claim, run and settle are one phase', () => {
  const phases = phasesOf(job('a', { startedAt: 5, finishedAt: 20 }), null, 99);
  assert.deepEqual(
    phases.map(({ name, from, to }) => [name, from, to]),
    [
      ['wait', 0, 5],
      ['busy', 5, 20],
    ],
  );
});

test("a worker's clock that is ahead or behind moves no phase out of the job's time", () => {
  for (const at of [-1_000, 1_000]) {
    const phases = phasesOf(job('a', { startedAt: 5, finishedAt: 50, ran: ran(at, 20) }), null, 99);
    assert.equal(phases.find(({ name }) => name === 'run')?.from, at < 0 ? 5 : 30);
    assert.equal(phases.at(-1)?.to, 50);
  }
});

test('what ran beside the way to the end is not added', () => {
  const jobs = [
    job('first', { run: 'r', startedAt: 0, finishedAt: 10, ran: ran(0, 10) }),
    job('slow', { run: 'r', createdAt: 12, dueAt: 12, startedAt: 13, finishedAt: 50, ran: ran(13, 30) }),
    job('fast', { run: 'r', createdAt: 12, dueAt: 12, startedAt: 13, finishedAt: 20, ran: ran(13, 5) }),
    job('last', { run: 'r', createdAt: 55, dueAt: 55, startedAt: 56, finishedAt: 60, ran: ran(56, 4) }),
  ];
  const sum = addUp(timed(jobs, new Map([['r', 0]]), 70), { from: 0, to: 61 });
  assert.deepEqual(sum.path, ['first', 'slow', 'last']);
  assert.deepEqual([sum.phases.run, sum.phases.enqueue, sum.phases.end, sum.otherMs], [44, 7, 1, 0]);
});

test('a job that a handler enqueued comes after as much of that handler as had run by then', () => {
  const jobs = [
    job('outer', { startedAt: 1, finishedAt: 30, ran: ran(2, 27) }),
    job('inner', { createdAt: 20, dueAt: 20, startedAt: 25, finishedAt: 40, ran: ran(26, 10) }),
  ];
  const sum = addUp(timed(jobs, new Map(), 50), { from: 0, to: 40 });
  assert.deepEqual(sum.path, ['outer', 'inner']);
  assert.equal(sum.phases.run, 18 + 10);
});

test('a handler that began and ended within the millisecond in which it started a run is on the way', () => {
  const at = { createdAt: 100, dueAt: 100, startedAt: 100 };
  const jobs = [
    job('outer', { ...at, finishedAt: 101, ran: ran(100.4, 0.3) }),
    job('step', { ...at, run: 'r', finishedAt: 103, ran: ran(100.9, 2) }),
  ];
  const sum = addUp(timed(jobs, new Map([['r', 100]]), 105), { from: 100, to: 103 });
  assert.deepEqual(sum.path, ['outer', 'step']);
});

test('jobs that took no whole millisecond are on the way in the order in which they are given', () => {
  const at = { run: 'r', createdAt: 7, dueAt: 7, startedAt: 7, finishedAt: 7, ran: ran(7, 0) };
  const jobs = [
    job('first', { run: 'r', startedAt: 0, finishedAt: 7, ran: ran(0, 7) }),
    job('middle', at),
    job('last', at),
  ];
  const sum = addUp(timed(jobs, new Map([['r', 0]]), 9), { from: 0, to: 7 });
  assert.deepEqual(sum.path, ['first', 'middle', 'last']);
  assert.deepEqual([sum.phases.run, sum.totalMs], [7, 7]);
});

test('whatever the times, the phases and the rest add up to all of it', () => {
  const span = fc.nat(1_000);
  const anyJob = fc.record({
    run: fc.constantFrom(null, 'r'),
    created: span,
    due: span,
    wait: span,
    busy: span,
    at: span,
    runMs: span,
    kept: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyJob, { minLength: 1, maxLength: 8 }), (given) => {
      const jobs = given.map(({ run, created, due, wait, busy, at, runMs, kept }, index) => {
        const startedAt = created + wait;
        return job(String(index), {
          run,
          createdAt: created,
          dueAt: due,
          startedAt,
          finishedAt: startedAt + busy,
          ran: kept ? ran(at, runMs) : null,
        });
      });
      const to = Math.max(...jobs.map(({ finishedAt }) => finishedAt ?? 0));
      const sum = addUp(timed(jobs, new Map([['r', 0]]), to), { from: 0, to });
      const added = Object.values(sum.phases).reduce((total, ms) => total + ms, sum.otherMs);
      assert.equal(Math.round(added), to);
      assert.ok(Object.values(sum.phases).every((ms) => ms >= 0) && sum.otherMs >= 0);
    }),
  );
});
