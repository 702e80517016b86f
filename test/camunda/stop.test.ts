/** Stops and locks: what a worker holds, keeps and gives back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { camundaWorker } from '../../src/connectors/camunda/index.ts';
import { defineTask } from '../../src/index.ts';
import { Gate } from '../stage.ts';
import { begin, completions, simulatorFor, started } from './stage.ts';
import { counters, endless, holding } from './tasks.ts';

const isPoll = ({ path }: { path: string }): boolean => path === '/v2/jobs/activation';

describe('a stop of a worker', { timeout: 60_000 }, () => {
  test('hands back what its last poll brings, with all retries, at once', async (t) => {
    const simulator = await simulatorFor(t);
    const never = defineTask({ name: 'never', run: () => assert.fail('it was started') });
    const worker = await started(t, simulator, { never }, { pollMs: 30_000 });
    await simulator.called(isPoll);
    const stopped = worker.stop();
    begin(simulator, [{ type: 'never', retries: 2 }]);
    await stopped;
    const [job] = simulator.engine.jobs.values();
    assert.deepEqual([job?.state, job?.retries, job?.activations], ['CREATED', 2, 1]);
    assert.equal(simulator.engine.incidents.size, 0);
    const { handedBack, pollsLost, untold } = worker.counts;
    assert.deepEqual([handedBack, pollsLost, untold], [1, 0, 0]);
    assert.equal(simulator.engine.counts.abandoned, 0);
  });

  test('waits for what runs, and hands back what it aborts', async (t) => {
    const simulator = await simulatorFor(t);
    const gate = new Gate();
    const patient = defineTask({ name: 'patient', run: () => gate.wait() });
    const first = await started(t, simulator, { patient });
    begin(simulator, [{ type: 'patient' }]);
    await gate.reached;
    const stopped = first.stop();
    gate.open();
    await stopped;
    assert.deepEqual([first.counts.completed, first.counts.handedBack], [1, 0]);

    const second = await started(t, simulator, { endless });
    const began = new Promise((resolve) => second.runner.on('job.started', resolve));
    begin(simulator, [{ type: 'endless' }]);
    await began;
    await second.stop({ graceMs: 0 });
    // It may have come back into the worker's own last poll, which then brings it once more.
    assert.ok(second.counts.handedBack >= 1 && second.counts.completed === 0);
    const job = [...simulator.engine.jobs.values()].at(-1);
    assert.deepEqual([job?.state, job?.retries], ['CREATED', 3]);
  });

  test('says what could not be prevented: a poll whose answer never came', async (t) => {
    const simulator = await simulatorFor(t);
    const lines: string[] = [];
    const say = (_facts: object, text: string): void => void lines.push(text);
    const logger = { error: say, warn: say, info: say, debug: say };
    const never = defineTask({ name: 'never', run: () => null });
    const worker = await started(t, simulator, { never }, { pollMs: 30_000, logger });
    await simulator.called(isPoll);
    const stopped = worker.stop();
    await simulator.close();
    await stopped;
    assert.equal(worker.counts.pollsLost, 1);
    assert.match(
      lines.join('\n'),
      /1 polls ended without an answer: jobs that went into them wait for their locks to end, up to 30 s/,
    );
  });
});

describe('the lock of a job', { timeout: 60_000 }, () => {
  test('is extended while its handler holds the event loop', async (t) => {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    counters.push(counter);
    const thread = new Worker(new URL('./simulator-thread.ts', import.meta.url), { workerData: { counter } });
    t.after(() => thread.terminate());
    const [url] = (await once(thread, 'message')) as [string];
    const worker = camundaWorker({ url, jobTypes: { holding }, logger: false, lockMs: 3_000, pollMs: 100 });
    t.after(() => worker.stop({ graceMs: 0 }));
    const told = once(thread, 'message');
    await worker.start();
    assert.deepEqual((await told)[0], 'completed');
    assert.ok(Atomics.load(counter, 0) >= 2);
    await worker.stop();
    assert.deepEqual([worker.counts.completed, worker.counts.stale], [1, 0]);
  });

  test('that is lost aborts the handler, and nothing is told', async (t) => {
    const simulator = await simulatorFor(t);
    const { promise: aborted, resolve: abort } = Promise.withResolvers<unknown>();
    const watched = defineTask({
      name: 'watched',
      run: ({ signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            abort(signal.reason.code);
            resolve();
          });
        }),
    });
    const worker = await started(t, simulator, { watched }, { lockMs: 600 });
    const began = new Promise((resolve) => worker.runner.on('job.started', resolve));
    const [key = ''] = begin(simulator, [{ type: 'watched' }]);
    await began;
    simulator.engine.cancel(key);
    assert.equal(await aborted, 'LEASE_LOST');
    await worker.stop();
    const { locksLost, stale, completed } = worker.counts;
    assert.deepEqual([locksLost, stale, completed], [1, 0, 0]);
    assert.deepEqual(
      simulator.calls.filter(({ path }) => /completion|failure/.test(path)),
      [],
    );
  });

  test('that somebody else used makes the completion stale', async (t) => {
    const simulator = await simulatorFor(t);
    const slow = defineTask({ name: 'slow', run: () => simulator.engine.complete(key, null, {}) });
    let key = '';
    const worker = await started(t, simulator, { slow });
    worker.runner.on('job.started', ({ id }) => {
      key = id;
    });
    begin(simulator, [{ type: 'slow' }]);
    await completions(simulator, 1);
    await worker.stop();
    const { stale, completed } = worker.counts;
    assert.deepEqual([stale, completed], [1, 0]);
  });

  test('is fenced by a lease token where that is asked for', async (t) => {
    const simulator = await simulatorFor(t);
    const quick = defineTask({ name: 'quick', run: () => null });
    await started(t, simulator, { quick }, { leases: true });
    begin(simulator, [{ type: 'quick' }]);
    const { path, body } = await simulator.called((call) => call.path.endsWith('/completion'));
    const jobKey = path.split('/')[3];
    assert.deepEqual(body, { variables: {}, jobLeaseToken: `${jobKey}-1` });
    assert.equal(simulator.engine.counts.completions, 1);
  });
});
