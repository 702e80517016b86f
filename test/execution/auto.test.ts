import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Observation,
  observe,
  PROFILE_NEW,
  type Profile,
  samplesNeeded,
} from '../../src/execution/auto.ts';
import { type AnyTask, connect, defineTask } from '../../src/index.ts';
import { nextEvent, record } from '../stage.ts';
import { dense, moody, quick, waiting } from './tasks/loads.ts';

const RULE = { blockedMs: 200, threads: 8 };

const measured = (busyMs: number, wallMs: number, heldMs = busyMs): Observation => ({
  type: 'measured',
  busyMs,
  wallMs: Math.max(busyMs, wallMs),
  heldMs,
});
const blocked = (blockedMs: number, certain: boolean): Observation => ({
  type: 'blocked',
  blockedMs,
  certain,
});

const anyTimes = fc.tuple(
  fc.double({ min: 0, max: 1e4, noNaN: true }),
  fc.double({ min: 0, max: 1e5, noNaN: true }),
);
const anything = fc.oneof(
  anyTimes.map(([busyMs, wallMs]) => measured(busyMs, wallMs)),
  fc
    .tuple(fc.double({ min: 200, max: 1e5, noNaN: true }), fc.boolean())
    .map(([ms, certain]) => blocked(ms, certain)),
);

function follow(
  seen: readonly Observation[],
  from: Profile = PROFILE_NEW,
  rule = RULE,
): { profile: Profile; moves: number } {
  let [profile, moves] = [from, 0];
  for (const one of seen) {
    const next = observe(profile, one, rule);
    if (next.profile.lane !== profile.lane) moves += 1;
    assert.ok(next.profile.lane === profile.lane || next.reason !== null, 'a move without a reason');
    profile = next.profile;
  }
  return { profile, moves };
}

describe('the rule of auto', () => {
  test('a task that computes stays in its thread', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 5, max: 1e4, noNaN: true }), { minLength: 5, maxLength: 200 }),
        (times) => {
          const { profile } = follow(times.map((ms) => measured(ms, ms * 1.5)));
          assert.deepEqual([profile.lane, profile.decided], ['thread', true]);
        },
      ),
    );
  });

  test('a task that takes little CPU is inline after five jobs, and stays there', () => {
    fc.assert(
      fc.property(fc.array(anyTimes, { minLength: 5, maxLength: 200 }), (times) => {
        const light = times.map(([busyMs, wallMs]) => measured(busyMs / 2_500, wallMs));
        assert.equal(follow(light.slice(0, 4)).profile.lane, 'thread');
        const { profile, moves } = follow(light);
        assert.deepEqual([profile.lane, moves], ['inline', 1]);
      }),
    );
  });

  test('the first job, which pays for compiling, does not count', () => {
    const jobs = [measured(900, 900), ...Array.from({ length: 4 }, () => measured(1, 1))];
    assert.equal(follow(jobs).profile.lane, 'inline');
  });

  test('a long job that takes the loop in small pieces is inline, one that takes it at a stretch is not', () => {
    const jobs = (heldMs: number) => Array.from({ length: 5 }, () => measured(1_000, 10_000, heldMs));
    assert.equal(follow(jobs(90)).profile.lane, 'inline');
    assert.equal(follow(jobs(110)).profile.lane, 'thread');
  });

  test('where threads are few, a job may take more of the loop', () => {
    const laneOf = (share: number, threads: number) => {
      const jobs = Array.from({ length: 5 }, () => measured(share * 1_000, 1_000, 5));
      return follow(jobs, PROFILE_NEW, { ...RULE, threads }).profile.lane;
    };
    assert.deepEqual([laneOf(0.34, 2), laneOf(0.36, 2)], ['inline', 'thread']);
    assert.deepEqual([laneOf(0.19, 16), laneOf(0.21, 16)], ['inline', 'thread']);
  });

  test('one certain block moves a task to a thread, an uncertain one only the third time', () => {
    const inline: Profile = { ...PROFILE_NEW, lane: 'inline', decided: true };
    assert.equal(follow([blocked(250, true)], inline).profile.lane, 'thread');
    assert.equal(follow([blocked(250, false), blocked(250, false)], inline).profile.lane, 'inline');
    assert.equal(
      follow(
        Array.from({ length: 3 }, () => blocked(250, false)),
        inline,
      ).profile.lane,
      'thread',
    );
  });

  test('whatever happens, a task moves seldom: each stay in a thread is twice as long as the one before', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 2_000 }), (seen) => {
        const { profile, moves } = follow(seen);
        // With r returns there were 5 + 10 + ... + 5 * 2^(r-1) measured jobs at least, and two moves each but the last.
        const jobs = seen.filter(({ type }) => type === 'measured').length;
        assert.ok(5 * (2 ** Math.min(profile.returns, 10) - 1) <= jobs);
        assert.ok(moves <= 2 * profile.returns + 1);
        assert.equal(samplesNeeded(profile), 5 * 2 ** Math.min(profile.returns, 10));
      }),
    );
  });
});

describe('the strategy auto', () => {
  test('measures, decides, tells, and takes a task back that holds the event loop', async (t) => {
    const longshore = await connect('memory:');
    t.after(() => longshore.close());
    const worker = longshore.worker({
      tasks: [quick, waiting, dense, moody],
      strategy: 'auto',
      concurrency: 2,
    });
    const chosen = record(longshore, 'task.strategyChosen');
    await worker.start();
    const laneOf = (name: string) => worker.profiles().find(({ task }) => task === name)?.lane;
    const run = async (task: AnyTask, inputs: unknown[]) => {
      for (const job of await longshore.enqueueMany(task, inputs)) await job.result();
    };
    await run(quick, Array(20).fill(null));
    await run(waiting, Array(8).fill(null));
    await run(dense, Array(8).fill(null));
    await run(moody, Array(8).fill(0));
    assert.deepEqual(['quick', 'waiting', 'dense', 'moody'].map(laneOf), [
      'inline',
      'inline',
      'thread',
      'inline',
    ]);
    const told = nextEvent(longshore, 'task.blocked');
    await run(moody, [400]);
    assert.equal((await told).task, 'moody');
    assert.equal(laneOf('moody'), 'thread');
    await run(moody, Array(12).fill(0));
    assert.equal(laneOf('moody'), 'inline');
    assert.deepEqual(
      chosen.filter(({ event }) => event.task === 'moody').map(({ event }) => event.lane),
      ['inline', 'thread', 'inline'],
    );
  });

  test('hints come before measurement', async (t) => {
    const longshore = await connect('memory:');
    t.after(() => longshore.close());
    const options = (hint: 'cpu' | 'io' | 'isolate') =>
      ({
        name: hint,
        hint,
        run: () => 1,
        module: new URL('./tasks/loads.ts', import.meta.url).href,
      }) as const;
    const tasks = [defineTask(options('cpu')), defineTask(options('io')), defineTask(options('isolate'))];
    const lanes = longshore
      .worker({ tasks })
      .profiles()
      .map(({ task, lane }) => [task, lane]);
    assert.deepEqual(lanes, [
      ['cpu', 'thread'],
      ['io', 'inline'],
      ['isolate', 'process'],
    ]);
  });

  test('a task that cannot be imported runs inline, and it is told when it holds the loop', async (t) => {
    const longshore = await connect('memory:');
    t.after(() => longshore.close());
    const ran: unknown[] = [];
    const hold = (ms: number) => {
      const until = performance.now() + ms;
      while (performance.now() < until);
    };
    const here = defineTask({
      name: 'here',
      strategy: 'auto',
      run: ({ input }) => ran.push(hold(input as number)),
    });
    // Its module is not where it is exported, which shows when a thread looks for it.
    const elsewhere = defineTask({
      name: 'elsewhere',
      strategy: 'auto',
      module: new URL('./tasks/loads.ts', import.meta.url).href,
      run: () => ran.push('elsewhere'),
    });
    const worker = longshore.worker({ tasks: [here, elsewhere], blockedMs: 50 });
    await worker.start();
    const told = nextEvent(longshore, 'task.blocked');
    assert.equal(await (await longshore.enqueue(here, 80)).result(), 1);
    const { task, certain, blockedMs } = await told;
    assert.deepEqual([task, certain, blockedMs >= 80], ['here', true, true]);
    assert.equal(await (await longshore.enqueue(elsewhere, null)).result(), 2);
    for (const { lane, reason } of worker.profiles())
      assert.match(`${lane}: ${reason}`, /^inline: not importable/);
  });
});
