import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defineTask } from '../../../src/core/task.ts';
import { defineFlow } from '../../../src/flow/define.ts';
import { Simulation } from './simulation.ts';

// biome-ignore lint/suspicious/noExplicitAny: what these tasks take does not matter here.
const work = defineTask({ name: 'work', run: (): any => null });

const diamond = defineFlow({
  name: 'diamond',
  steps: (s) => {
    const a = s.step('a', work);
    const b = s.step('b', work, { after: [a] });
    const c = s.step('c', work, { after: [a] });
    return s.step('d', work, { after: [b, c] });
  },
}).data;

describe('order', () => {
  test('a step starts once all of its parents have ended, with their results', () => {
    const run = new Simulation(diamond, { id: 7 });
    assert.deepEqual(run.running, ['s:a:0']);
    assert.deepEqual(run.inputOf('s:a:0'), { id: 7 });
    run.complete('s:a:0', 1);
    assert.deepEqual(run.running, ['s:b:0', 's:c:0']);
    run.complete('s:c:0', 3);
    assert.deepEqual(run.running, ['s:b:0']);
    run.complete('s:b:0', 2);
    assert.deepEqual(run.inputOf('s:d:0'), { b: 2, c: 3 });
    run.complete('s:d:0', { done: true });
    assert.equal(run.state, 'completed');
    assert.deepEqual(run.result, { done: true });
  });

  test('the last two parents in one batch, twice reported, start the join once', () => {
    const run = new Simulation(diamond);
    run.complete('s:a:0');
    const [b, c] = [run.report('s:b:0', 'completed', 2), run.report('s:c:0', 'completed', 3)];
    run.decide([c, b, c, b]);
    assert.deepEqual(run.running, ['s:d:0']);
  });

  test('steps behind others go ahead of first steps in their queue', () => {
    const run = new Simulation(diamond);
    run.complete('s:a:0');
    assert.equal(run.ordered.get('s:a:0')?.priority, 0);
    assert.equal(run.ordered.get('s:b:0')?.priority, -1);
  });

  test('large results lie beside the value and are read when a step needs them', () => {
    const run = new Simulation(diamond);
    run.complete('s:a:0', 'x'.repeat(5_000));
    assert.ok(JSON.stringify(run.run).length < 1_500);
    assert.equal((run.inputOf('s:b:0') as string).length, 5_000);
  });
});

describe('failure', () => {
  test('a step that fails for good ends the run, and what runs beside it is stopped first', () => {
    const run = new Simulation(diamond);
    run.complete('s:a:0');
    run.fail('s:b:0', 'no bank');
    assert.equal(run.state, 'running');
    assert.deepEqual(run.stops, ['job s:c:0']);
    run.decide([run.report('s:c:0', 'cancelled')]);
    assert.equal(run.state, 'failed');
    assert.match(run.run.reason ?? '', /step 'b' failed: no bank/);
    assert.equal(run.step('d'), undefined);
  });

  test('a job that was cancelled or removed fails its step', () => {
    const run = new Simulation(diamond);
    run.decide([run.report('s:a:0', 'cancelled')]);
    assert.equal(run.state, 'failed');
  });

  test('a stop is asked for again until what runs has ended', () => {
    const run = new Simulation(diamond);
    run.complete('s:a:0');
    run.fail('s:b:0');
    assert.equal(run.last?.wakeAt, run.now + 5_000);
    run.wait(5_000);
    assert.deepEqual(run.stops, ['job s:c:0', 'job s:c:0']);
    assert.equal(run.last?.wakeAt, run.now + 10_000);
  });

  test('with `continue`, the steps behind get null', () => {
    const flow = defineFlow({
      name: 'f',
      steps: (s) => {
        const a = s.step('a', work, { failure: 'continue' });
        return s.step('b', work, { after: [a] });
      },
    }).data;
    const run = new Simulation(flow);
    run.fail('s:a:0');
    assert.deepEqual(run.inputOf('s:b:0'), null);
    run.complete('s:b:0');
    assert.equal(run.state, 'completed');
  });

  const saga = defineFlow({
    name: 'saga',
    steps: (s) => {
      const a = s.step('a', work, { undo: work });
      const b = s.step('b', work, {
        after: [a],
        undo: { task: work, input: ({ run, result }) => ({ run, result }) },
      });
      const c = s.step('c', work, { after: [a], undo: work });
      return s.step('d', work, { after: [b, c] });
    },
  }).data;

  test('with undo steps, what completed is undone one by one in reverse order, and the run has failed', () => {
    const run = new Simulation(saga, 'in');
    run.complete('s:a:0', 1);
    run.complete('s:c:0', 3);
    run.complete('s:b:0', 2);
    run.fail('s:d:0');
    assert.deepEqual(run.running, ['u:b:0']);
    assert.deepEqual(run.inputOf('u:b:0'), { run: 'in', result: 2 });
    run.complete('u:b:0');
    assert.deepEqual(run.running, ['u:c:0']);
    run.complete('u:c:0');
    assert.deepEqual([run.running, run.inputOf('u:a:0')], [['u:a:0'], 1]);
    assert.equal(run.state, 'running');
    run.complete('u:a:0');
    assert.equal(run.state, 'failed');
  });

  test('a step that completes while the run is being stopped is undone, too', () => {
    const run = new Simulation(saga);
    run.complete('s:a:0', 1);
    run.fail('s:b:0');
    run.complete('s:c:0', 3);
    assert.deepEqual(run.running, ['u:c:0']);
  });

  test('an undo that fails leaves the run blocked, until a person retries or skips it', () => {
    const run = new Simulation(saga);
    run.complete('s:a:0', 1);
    run.complete('s:c:0', 3);
    run.fail('s:b:0');
    run.fail('u:c:0', 'no route');
    assert.equal(run.state, 'blocked');
    run.act({ type: 'retry', step: 'c' });
    assert.deepEqual(run.running, ['u:c:1']);
    run.fail('u:c:1');
    run.act({ type: 'skip', step: 'c' });
    assert.deepEqual(run.running, ['u:a:0']);
    run.complete('u:a:0');
    assert.equal(run.state, 'failed');
  });

  test('with `block` the run waits for a person, and other steps go on', () => {
    const flow = defineFlow({
      name: 'f',
      steps: (s) => {
        const a = s.step('a', work, { failure: 'block' });
        const b = s.step('b', work);
        return s.step('c', work, { after: [a, b] });
      },
    }).data;
    const run = new Simulation(flow);
    run.fail('s:a:0');
    assert.equal(run.state, 'blocked');
    run.complete('s:b:0', 2);
    assert.equal(run.state, 'blocked');
    run.act({ type: 'complete', step: 'a', result: '5' });
    assert.deepEqual(run.inputOf('s:c:0'), { a: 5, b: 2 });
    assert.equal(run.run.audits, 1);
  });
});

describe('decisions', () => {
  const flow = defineFlow({
    name: 'conditional',
    steps: (s) => {
      const route = s.decide('route', work, { branches: ['auto', 'manager', 'finance'] });
      const auto = s.step('auto', work, { on: route.auto });
      const manager = s.step('manager', work, { on: route.manager });
      const finance = s.step('finance', work, { on: route.finance });
      const after = s.step('afterManager', work, { after: [manager] });
      return s.step('done', work, { after: [auto, after, finance] });
    },
  }).data;

  test('branches that were not chosen are passed over, with all behind them, and the join runs', () => {
    const run = new Simulation(flow);
    run.complete('s:route:0', 'auto');
    assert.deepEqual(run.running, ['s:auto:0']);
    assert.equal(run.step('afterManager')?.is, 'skipped');
    run.complete('s:auto:0', 1);
    assert.deepEqual(run.inputOf('s:done:0'), { auto: 1, afterManager: null, finance: null });
  });

  test('several may be chosen, and the join waits for all of them', () => {
    const run = new Simulation(flow);
    run.complete('s:route:0', ['manager', 'finance']);
    assert.deepEqual(run.running, ['s:finance:0', 's:manager:0']);
    run.complete('s:finance:0', 1);
    run.complete('s:manager:0', 1);
    assert.deepEqual(run.running, ['s:afterManager:0']);
  });

  for (const none of [null, 'none', []])
    test(`${JSON.stringify(none)} chooses none: all is passed over and the run completes`, () => {
      const run = new Simulation(flow);
      run.complete('s:route:0', none);
      assert.equal(run.state, 'completed');
      assert.equal(run.result, null);
    });

  for (const wrong of ['finace', 7, { auto: true }])
    test(`${JSON.stringify(wrong)} is no branch: the decision fails, and says which there are`, () => {
      const run = new Simulation(flow);
      run.complete('s:route:0', wrong);
      assert.equal(run.state, 'failed');
      assert.match(run.run.reason ?? '', /expected one of 'auto', 'manager', 'finance'/);
    });
});

describe('fan-out', () => {
  const fan = (failure?: 'continue' | 'block') =>
    defineFlow({
      name: 'fan',
      steps: (s) => {
        const list = s.step('list', work);
        const items = s.each('item', work, { over: list as never, ...(failure && { failure }) });
        return s.step('join', work, { after: [items] });
      },
    }).data;

  const openItems = (run: Simulation): string[] => run.running.filter((as) => as.startsWith('i:'));

  test('a job for each item, and the join gets all results in order, whatever ended first', () => {
    const run = new Simulation(fan());
    run.complete('s:list:0', ['a', 'b', 'c']);
    assert.deepEqual(run.inputOf('i:item:0:1'), 'b');
    run.decide(['2', '0'].map((index) => run.report(`i:item:0:${index}`, 'completed', Number(index) * 10)));
    assert.equal(run.running.includes('s:join:0'), false);
    run.complete('i:item:0:1', 11);
    assert.deepEqual(run.inputOf('s:join:0'), [0, 11, 20]);
  });

  test('no items: the join runs at once with an empty list', () => {
    const run = new Simulation(fan());
    run.complete('s:list:0', []);
    assert.deepEqual(run.inputOf('s:join:0'), []);
  });

  test('10,000 items go in pages, the value stays small, and the join runs once', () => {
    const run = new Simulation(fan());
    run.complete(
      's:list:0',
      Array.from({ length: 10_000 }, (_, index) => index),
    );
    assert.equal(openItems(run).length, 10_000);
    assert.ok(JSON.stringify(run.run).length < 2_000);
    const all = openItems(run);
    for (let from = 0; from < all.length; from += 700)
      run.decide(all.slice(from, from + 700).map((as) => run.report(as, 'completed', 1)));
    assert.deepEqual((run.inputOf('s:join:0') as number[]).length, 10_000);
    assert.ok(JSON.stringify(run.run).length < 2_000);
  });

  test('1,000,000 items: the value stays small however many have ended', () => {
    const flow = defineFlow({ name: 'f', steps: (s) => s.each('i', work, { over: 1_000_000 }) }).data;
    const run = new Simulation(flow);
    assert.equal(run.ordered.size, 1_000_000);
    assert.ok(JSON.stringify(run.run).length < 2_000);
    const every = [...run.ordered.keys()];
    // Failures far apart would be a range each, so all of these are in one.
    const reports = every.slice(250_000, 260_000).map((as) => run.report(as, 'completed', 1));
    run.decide(reports);
    assert.ok(JSON.stringify(run.run).length < 2_000);
    assert.equal(run.step('i')?.items?.completed, 10_000);
  });

  test('100,000 items are asked to stop in pages, and each of them once', () => {
    const flow = defineFlow({ name: 'f', steps: (s) => s.each('i', work, { over: 100_000 }) }).data;
    const run = new Simulation(flow);
    let largest = 0;
    run.each = ({ stops }) => {
      largest = Math.max(largest, stops.length);
    };
    run.act({ type: 'cancel', compensate: false });
    assert.equal(largest, 1_000);
    assert.equal(new Set(run.stops).size, 100_000);
    assert.equal(run.stops.length, 100_000);
    run.decide(run.running.map((as) => run.report(as, 'cancelled')));
    assert.equal(run.state, 'cancelled');
  });

  test('an item that fails stops the others and fails the step', () => {
    const run = new Simulation(fan());
    run.complete('s:list:0', ['a', 'b', 'c']);
    run.fail('i:item:0:1', 'rotten');
    assert.equal(run.step('item')?.is, 'running');
    assert.ok(run.stops.includes('job i:item:0:2'));
    run.decide([run.report('i:item:0:0', 'completed'), run.report('i:item:0:2', 'cancelled')]);
    assert.equal(run.state, 'failed');
    assert.match(run.run.reason ?? '', /Item 1: rotten/);
  });

  test('with `continue` the join gets null for an item that failed', () => {
    const run = new Simulation(fan('continue'));
    run.complete('s:list:0', ['a', 'b', 'c']);
    run.decide([
      run.report('i:item:0:0', 'failed'),
      run.report('i:item:0:1', 'completed', 5),
      run.report('i:item:0:2', 'completed', 6),
    ]);
    assert.deepEqual(run.inputOf('s:join:0'), [null, 5, 6]);
  });

  test('failed items are retried by hand, and only those', () => {
    const run = new Simulation(fan('block'));
    run.complete('s:list:0', ['a', 'b', 'c']);
    run.decide([
      run.report('i:item:0:0', 'completed', 1),
      run.report('i:item:0:1', 'failed'),
      run.report('i:item:0:2', 'completed', 3),
    ]);
    assert.equal(run.state, 'blocked');
    run.act({ type: 'retry', step: 'item' });
    assert.deepEqual(run.running, ['i:item:1:1']);
    run.complete('i:item:1:1', 2);
    assert.deepEqual(run.inputOf('s:join:0'), [1, 2, 3]);
  });

  test('a dead letter of a blocked step that is redriven and completes lets the run go on', () => {
    const run = new Simulation(fan('block'));
    run.complete('s:list:0', ['a', 'b']);
    run.decide([run.report('i:item:0:0', 'completed', 1), run.report('i:item:0:1', 'failed')]);
    assert.equal(run.state, 'blocked');
    run.complete('i:item:0:1', 2);
    assert.deepEqual(run.inputOf('s:join:0'), [1, 2]);
  });

  for (const [what, list] of [
    ['an object', { a: 1 }],
    ['a text', 'abc'],
    ['null', null],
    ['half a number', 1.5],
  ] as const)
    test(`${what} is no list: the step fails, with a clear reason`, () => {
      const run = new Simulation(fan());
      run.complete('s:list:0', list);
      assert.equal(run.state, 'failed');
      assert.match(run.run.reason ?? '', /expected a list, or a whole number/);
    });

  test('a number stands for so many items, in batches of a size', () => {
    const flow = defineFlow({
      name: 'batch',
      steps: (s) => s.each('rows', work, { over: 1_000, size: 300 }),
    }).data;
    const run = new Simulation(flow);
    assert.deepEqual(run.inputOf('i:rows:0:3'), { from: 900, to: 1000 });
    assert.equal(run.running.length, 4);
  });
});

describe('loops, waits, sleeps, sub-flows', () => {
  test('a loop goes on with the cursor its last job returned, until there is none', () => {
    const flow = defineFlow({ name: 'f', steps: (s) => s.loop('page', work) }).data;
    const run = new Simulation(flow);
    assert.deepEqual(run.inputOf('i:page:0:0'), { cursor: null });
    run.complete('i:page:0:0', { cursor: 200 });
    assert.deepEqual(run.inputOf('i:page:0:1'), { cursor: 200 });
    run.complete('i:page:0:1', { rows: 3, cursor: null });
    assert.deepEqual([run.state, run.result], ['completed', { rows: 3, cursor: null }]);
  });

  const waits = defineFlow({
    name: 'waits',
    steps: (s) => {
      const a = s.step('a', work);
      const go = s.waitFor('go', null, { after: [a], timeoutMs: 1_000 });
      return s.step('b', work, { after: [go] });
    },
  }).data;

  test('a wait ends by its signal, whose payload is its result', () => {
    const run = new Simulation(waits);
    run.complete('s:a:0');
    assert.deepEqual([run.state, run.last?.wakeAt], ['waiting', run.now + 1_000]);
    run.signal('go', { by: 'ada' });
    assert.deepEqual(run.inputOf('s:b:0'), { by: 'ada' });
  });

  test('a signal before the wait is kept, and one in the instant of the timeout counts', () => {
    const early = new Simulation(waits);
    early.signal('go', 1);
    early.complete('s:a:0');
    assert.deepEqual(early.inputOf('s:b:0'), 1);
    const late = new Simulation(waits);
    late.complete('s:a:0');
    late.now += 1_000;
    late.signal('go', 2);
    assert.deepEqual(late.inputOf('s:b:0'), 2);
  });

  test('a wait is not timed out while reports are left, for its signal may be among them', () => {
    const flow = defineFlow({ name: 'f', steps: (s) => s.waitFor('w', null, { timeoutMs: 10 }) }).data;
    const run = new Simulation(flow);
    run.now += 20;
    const { decision } = run.look({ more: true });
    assert.equal(decision.state, 'waiting');
    run.signal('w', 'early enough');
    assert.equal(run.result, 'early enough');
  });

  test('a wait that times out fails, or goes on with null', () => {
    const run = new Simulation(waits);
    run.complete('s:a:0');
    run.wait(999);
    assert.equal(run.state, 'waiting');
    run.wait(1);
    assert.equal(run.state, 'failed');
    const flow = defineFlow({
      name: 'f',
      steps: (s) =>
        s.step('b', work, { after: [s.waitFor('go', null, { timeoutMs: 5, onTimeout: 'continue' })] }),
    }).data;
    const other = new Simulation(flow);
    other.wait(5);
    assert.deepEqual(other.inputOf('s:b:0'), null);
  });

  test('a sleep ends at its time', () => {
    const flow = defineFlow({
      name: 'f',
      steps: (s) => s.step('b', work, { after: [s.sleep('nap', 60_000)] }),
    }).data;
    const run = new Simulation(flow);
    assert.equal(run.state, 'waiting');
    run.wait(60_000);
    assert.deepEqual(run.running, ['s:b:0']);
  });

  test('a sub-flow is a run of its own, whose end is the step’s', () => {
    const inner = defineFlow({ name: 'inner', steps: (s) => s.step('x', work) });
    const flow = defineFlow({
      name: 'outer',
      steps: (s) => s.step('b', work, { after: [s.flow('in', inner)] }),
    }).data;
    const run = new Simulation(flow, { n: 1 });
    assert.deepEqual(run.children, ['s:in:0']);
    run.complete('s:in:0', 5);
    assert.deepEqual(run.inputOf('s:b:0'), 5);
  });
});

describe('inputs', () => {
  test('a path that leads nowhere is the step’s clear failure', () => {
    const flow = defineFlow({
      name: 'f',
      steps: (s) => {
        const a = s.step('a', work);
        return s.step('b', work, { input: () => ({ x: a.items.first }) });
      },
    }).data;
    const run = new Simulation(flow);
    run.complete('s:a:0', { items: {} });
    assert.equal(run.state, 'failed');
    assert.match(run.run.reason ?? '', /a\.items\.first is not there: a\.items has no "first"/);
  });
});

describe('by hand', () => {
  test('cancel stops what runs, and then the run is cancelled', () => {
    const run = new Simulation(diamond);
    run.complete('s:a:0');
    run.act({ type: 'cancel', compensate: false });
    assert.deepEqual(run.stops, ['job s:b:0', 'job s:c:0']);
    run.decide([run.report('s:b:0', 'cancelled'), run.report('s:c:0', 'completed')]);
    assert.equal(run.state, 'cancelled');
    assert.throws(() => run.act({ type: 'cancel', compensate: false }), { code: 'RUN_STATE_REFUSED' });
  });

  test('retry starts a failed run again at its failed step, with other input; what was stopped starts anew', () => {
    const run = new Simulation(diamond);
    run.complete('s:a:0', 1);
    run.fail('s:b:0');
    run.decide([run.report('s:c:0', 'cancelled')]);
    assert.equal(run.state, 'failed');
    run.act({ type: 'retry', step: 'b', input: '"mended"' });
    assert.deepEqual(run.running, ['s:b:1', 's:c:1']);
    assert.deepEqual(run.inputOf('s:b:1'), 'mended');
    run.complete('s:b:1', 2);
    run.complete('s:c:1', 3);
    run.complete('s:d:0', 4);
    assert.deepEqual([run.state, run.result], ['completed', 4]);
  });

  test('a late report of a job that was started anew counts no more', () => {
    const run = new Simulation(diamond);
    run.fail('s:a:0');
    run.act({ type: 'retry', step: 'a' });
    run.decide([run.report('s:a:0', 'completed', 'old')]);
    assert.equal(run.step('a')?.is, 'running');
    run.complete('s:a:1', 'new');
    assert.deepEqual(run.inputOf('s:b:0'), 'new');
  });

  test('a running step is completed by hand: its job is stopped and its end counts no more', () => {
    const run = new Simulation(diamond);
    run.act({ type: 'complete', step: 'a', result: '1' });
    assert.deepEqual(run.stops, ['job s:a:0']);
    assert.deepEqual(run.running, ['s:a:0', 's:b:0', 's:c:0']);
    run.decide([run.report('s:a:0', 'cancelled')]);
    assert.equal(run.state, 'running');
  });

  test('resolve, skip and unknown steps', () => {
    const run = new Simulation(diamond);
    assert.throws(() => run.act({ type: 'resolve', step: 'a' }), { code: 'RUN_STATE_REFUSED' });
    assert.throws(
      () => run.act({ type: 'retry', step: 'zz' }),
      /has no step 'zz'; its steps are 'a', 'b', 'c', 'd'/,
    );
    run.fail('s:a:0');
    run.act({ type: 'resolve', step: 'a' });
    assert.deepEqual(run.running, ['s:b:0', 's:c:0']);
    run.act({ type: 'skip', step: 'b' });
    run.complete('s:c:0', 3);
    assert.deepEqual(run.inputOf('s:d:0'), { b: null, c: 3 });
  });
});
