import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { defineTask } from '../../src/index.ts';
import type { Store } from '../../src/store/store.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { eventually, Gate, onEachStore } from '../stage.ts';

onEachStore('what a handler reports is there, in order, when its job has ended', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({
    name: 'report',
    backoff: 0,
    run: async ({ attempt, progress, log }) => {
      log('first', { attempt });
      progress(0.25);
      await new Promise((resolve) => setImmediate(resolve));
      log('second');
      progress({ done: 3, of: 4 });
      if (attempt === 1) throw new Error('once more');
    },
  });
  const { id } = await longshore.enqueue(task, null);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  const job = await longshore.jobs.get(id);
  assert.deepEqual(job?.progress, { done: 3, of: 4 });
  assert.deepEqual(
    job?.logs.map(({ attempt, message, data }) => [attempt, message, data]),
    [
      [1, 'first', { attempt: 1 }],
      [1, 'second', undefined],
      [2, 'first', { attempt: 2 }],
      [2, 'second', undefined],
    ],
  );
});

onEachStore(
  'the notes of a job are written before its outcome, and never after',
  async ({ connectThrough }) => {
    const verbs: string[] = [];
    const longshore = await connectThrough((store: Store) => ({
      annotate: (notes, options) => {
        verbs.push('annotate');
        return store.annotate(notes, options);
      },
      settle: (settlements, options) => {
        verbs.push('settle');
        return store.settle(settlements, options);
      },
    }));
    const task = defineTask({ name: 'report', run: ({ log }) => log('here') });
    await longshore.enqueue(task, null);
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.deepEqual(verbs, ['annotate', 'settle']);
  },
);

onEachStore('progress of a running job can be read while it runs', async ({ connect }) => {
  const clock = new FakeClock();
  const longshore = await connect({ clock });
  const gate = new Gate();
  const task = defineTask({
    name: 'report',
    run: async ({ progress }) => {
      for (let percent = 0; percent <= 50; percent += 1) progress(percent);
      await gate.wait();
    },
  });
  await longshore.worker({ tasks: [task] }).start();
  const job = await longshore.enqueue(task, null);
  await gate.reached;
  await eventually(async () => {
    await clock.advance(100);
    return (await longshore.jobs.get(job.id))?.progress === 50;
  });
  gate.open();
  await job.result();
});

onEachStore(
  'a note that cannot be stored throws into the handler, where it was made',
  async ({ connect }) => {
    const longshore = await connect({ payloadBytesMax: 100 });
    const thrown: unknown[] = [];
    const task = defineTask({
      name: 'report',
      run: ({ progress, log }) => {
        for (const call of [
          () => progress(1n),
          () => progress('x'.repeat(200)),
          () => log('message', new Map()),
          () => log(7 as never),
        ]) {
          try {
            call();
          } catch (error) {
            thrown.push((error as { code: string }).code);
          }
        }
        return 'went on';
      },
    });
    const job = await longshore.enqueue(task, null);
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    assert.equal(await job.result(), 'went on');
    assert.deepEqual(thrown, ['PAYLOAD_NOT_JSON', 'PAYLOAD_TOO_LARGE', 'PAYLOAD_NOT_JSON', 'OPTION_INVALID']);
  },
);

onEachStore('NUL in a log line, an error or a reason becomes visible', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({
    name: 'report',
    attempts: 1,
    run: ({ log }) => {
      log('a\0b\n', 'c\0d');
      throw new Error('e\0f');
    },
  });
  const { id } = await longshore.enqueue(task, 'g\0h');
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  await longshore.jobs.redrive(id, { why: 'i\0j' });
  const job = await longshore.jobs.get(id);
  assert.deepEqual(
    job?.logs.map(({ message, data }) => [message, data]),
    [['a␀b\n', 'c\0d']],
  );
  assert.deepEqual([job?.errors[0]?.message, job?.audit[0]?.why, job?.input], ['e␀f', 'i␀j', 'g\0h']);
});

onEachStore('of a job that logs in a loop the last lines are kept', async ({ connect }) => {
  const longshore = await connect();
  const task = defineTask({
    name: 'chatty',
    run: ({ log }) => {
      for (let line = 0; line < 2_500; line += 1) log(`line ${line}`);
    },
  });
  const { id } = await longshore.enqueue(task, null);
  await longshore.worker({ tasks: [task] }).runUntilIdle();
  const job = await longshore.jobs.get(id);
  assert.deepEqual(
    job?.logs.map(({ message }) => message),
    Array.from({ length: 1_000 }, (_, line) => `line ${line + 1_500}`),
  );
  assert.equal(job?.logsOmitted, 1_500);
});

onEachStore(
  'notes that were written take no memory any more',
  async ({ connect }) => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heapBytes: number[] = [];
    const task = defineTask({
      name: 'report',
      run: async ({ progress, lastProgress }) => {
        for (let written = 0; written <= 40_000; written += 1) {
          progress(written);
          await lastProgress();
          if (written % 20_000 !== 0) continue;
          collect();
          heapBytes.push(process.memoryUsage().heapUsed);
        }
      },
    });
    const longshore = await connect();
    await longshore.enqueue(task, null);
    await longshore.worker({ tasks: [task] }).runUntilIdle();
    const [, before = 0, after = 0] = heapBytes;
    // 25 bytes for each batch would be as much.
    assert.ok(after - before < 500_000, `${after - before} bytes more`);
  },
  ['memory'],
);
