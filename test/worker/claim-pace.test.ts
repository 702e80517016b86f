import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { defineTask } from '../../src/index.ts';
import { ClaimPace } from '../../src/worker/claim-pace.ts';
import { onEachStore } from '../stage.ts';

test('without a pace, nothing is held back', () => {
  const pace = new ClaimPace();
  assert.equal(pace.room(1_000, 0), 1_000);
  assert.equal(pace.room(7, 5_000), 7);
  assert.equal(pace.room(-3, 10), -3);
});

test('what starts in half a second may wait, and is asked for in halves', () => {
  const pace = new ClaimPace();
  pace.observe(4, 100);
  assert.equal(pace.room(100, 0), 20);
  assert.equal(pace.room(100, 10), 10);
  assert.equal(pace.room(100, 11), 0);
  assert.equal(pace.room(100, 99), 0);
  assert.equal(pace.room(3, 0), 3);
});

test('a pace beyond the largest claim holds nothing back', () => {
  const pace = new ClaimPace();
  pace.observe(300, 100);
  assert.equal(pace.room(1_000, 5_000), 1_000);
});

test('jobs longer than all of it are asked for one at a time', () => {
  const pace = new ClaimPace();
  let now = 0;
  for (let jobs = 0; jobs < 10; jobs += 1) {
    pace.observe(1, 1_500);
    assert.equal(pace.room(100, 0), 1);
    pace.asked(0, now);
    pace.brought(1, now);
    now += 1_500;
  }
});

for (const claimMs of [0, 400, 10_000])
  test(`a worker that runs dry at once is held back no longer, where a claim takes ${claimMs} ms`, () => {
    const pace = new ClaimPace();
    pace.observe(0, 100);
    const asked: number[] = [];
    for (let now = 0, claims = 0; claims < 12; claims += 1, now += 5) {
      const room = pace.room(1_000, 0);
      asked.push(room);
      pace.asked(0, now);
      now += claimMs;
      pace.brought(room, now);
    }
    assert.deepEqual(asked.slice(0, 4), [1, 1, 2, 4]);
    assert.equal(asked.at(-1), 1_000);
  });

test('claims that bring nothing say nothing of how many jobs start', () => {
  const pace = new ClaimPace();
  pace.observe(0, 100);
  for (let now = 0; now < 1_000; now += 5) {
    pace.asked(0, now);
    pace.brought(0, now);
  }
  assert.equal(pace.room(1_000, 0), 1);
});

test('jobs of any length come in claims that are started within a second, and none waits for want of a claim', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 500 }), (jobMs, slots) => {
      const pace = new ClaimPace();
      let [now, waiting, started] = [0, slots, 0];
      for (let windows = 0; windows < 50; windows += 1) {
        const [began, before] = [now, started];
        let isDry = false;
        while (now - began < 100) {
          if (waiting === 0) isDry = true;
          const room = pace.room(slots - waiting, waiting);
          if (room > 0) {
            pace.asked(waiting, now);
            pace.brought(room, now);
            waiting += room;
          }
          assert.ok(waiting > 0, 'there is a job to start');
          waiting -= 1;
          started += 1;
          now += jobMs;
        }
        const ms = now - began;
        const kept = Math.floor(((started - before) * 1_000) / ms);
        // The first one knew nothing; one job starts as the others are looked at.
        if (windows > 0) assert.ok(waiting <= kept + 1, `${waiting} wait, ${kept} start in a second`);
        waiting = Math.min(waiting, kept);
        if (!isDry && waiting > 0) pace.observe(started - before, ms);
      }
    }),
  );
});

/** A handler of 20 ms starts 50 times a second at most, however busy the machine is, so that no claim may bring more. */
onEachStore('a worker whose handlers compute claims no more than it starts', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({
    name: 'compute',
    run: () => {
      const end = performance.now() + 20;
      while (performance.now() < end);
    },
  });
  await longshore.enqueueMany(task, Array.from({ length: 120 }));
  const worker = longshore.worker({ tasks: [task], concurrency: 100 });
  const claims: number[] = [];
  longshore.on('worker.claimed', ({ jobs, limit }) => {
    // The last ones ask for what there is no more.
    if (worker.tally.released > 0 && jobs === limit) claims.push(limit);
  });
  await worker.runUntilIdle();
  assert.equal(worker.tally.completed, 120);
  assert.ok(worker.tally.released > 0, 'the first claim knew nothing');
  assert.ok(claims.length > 0 && Math.max(...claims) <= 50, `claims of ${claims.join()} jobs`);
});

onEachStore('jobs that went back are claimed again though none that runs ends', async ({ connect }) => {
  const longshore = await connect();
  const slots = 10;
  const all = Promise.withResolvers<void>();
  let running = 0;
  const task = defineTask({
    name: 'compute-then-wait',
    run: async () => {
      const end = performance.now() + 150;
      while (performance.now() < end);
      running += 1;
      if (running === slots) all.resolve();
      await all.promise;
    },
  });
  await longshore.enqueueMany(task, Array.from({ length: slots }));
  const worker = longshore.worker({ tasks: [task], concurrency: slots, pollMs: 3_600_000 });
  await worker.start();
  await all.promise;
  assert.ok(worker.tally.released > 0, 'jobs went back');
  await worker.stop();
});
