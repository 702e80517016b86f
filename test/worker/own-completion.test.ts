/** ctx.transaction and ctx.complete: the handler's writes and the job's end commit together, or not at all. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type ActionReport, defineFlow, defineTask } from '../../src/index.ts';
import { eventually, onEachStore, record, type Stage } from '../stage.ts';
import { TRANSACTION_KINDS } from '../user-database.ts';
import { openBank } from './bank.ts';

function onBanks(title: string, body: (stage: Stage) => Promise<void>): void {
  onEachStore(title, body, TRANSACTION_KINDS);
}

onBanks('writes, the end and jobs enqueued inside commit together', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  const receipt = defineTask({ name: 'receipt', run: ({ input }) => input });
  const pay = defineTask({
    name: 'pay',
    run: async ({ transaction, input }) => {
      const amount = input as number;
      const result = await transaction(bank.db, async (tx) => {
        await bank.pay(tx, amount);
        await longshore.enqueue(receipt, amount, { tx });
        return { paid: amount };
      });
      assert.deepEqual(result, { paid: amount });
      return 'this is not the result';
    },
  });
  const completed = record(longshore, 'job.completed');
  const job = await longshore.enqueue(pay, 10);
  const awaited = job.result();
  const summary = await longshore.worker({ tasks: [pay, receipt] }).runUntilIdle();
  assert.deepEqual(await awaited, { paid: 10 });
  assert.equal(summary.completed, 2);
  assert.equal(await bank.balance(), 10);
  assert.deepEqual(
    completed.map(({ event }) => event.task),
    ['pay', 'receipt'],
  );
  const [queue] = await longshore.queues.list();
  assert.equal(queue?.counts.completed, 2);
});

onBanks('two aborting jobs run once each, and the counter says 2', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  let counter = 0;
  const abort = defineTask({
    name: 'abort',
    attempts: 1,
    run: async ({ transaction, input }) => {
      await transaction(bank.db, async (tx) => {
        await bank.pay(tx, 1);
        counter += 1;
        if (input === 'throws') throw new Error('abort');
        await bank.fail(tx);
        await (tx as { query?: (text: string) => Promise<void> }).query?.('SELECT 1');
        throw new Error('abort');
      });
    },
  });
  const jobs = await longshore.enqueueMany(abort, ['throws', 'SQL']);
  const summary = await longshore.worker({ tasks: [abort] }).runUntilIdle();
  assert.deepEqual([summary.failed, summary.completed, summary.lost], [2, 0, 0]);
  assert.equal(counter, 2);
  assert.equal(await bank.balance(), 0);
  for (const { id } of jobs) assert.equal((await longshore.jobs.get(id))?.state, 'failed');
});

onBanks('a transaction of the handler’s own completes the job when it commits', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  const pay = defineTask({
    name: 'pay',
    run: async ({ complete, id }) => {
      const { tx, commit } = await bank.begin();
      await bank.pay(tx, 5);
      await complete('mine', { tx });
      // On SQLite nothing else of Longshore is to be awaited in it.
      if (stage.kind === 'postgres') assert.equal((await longshore.jobs.get(id))?.state, 'running');
      await commit();
      return 'ignored';
    },
  });
  const job = await longshore.enqueue(pay, null);
  const summary = await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.equal(await job.result(), 'mine');
  assert.equal(summary.completed, 1);
  assert.equal(await bank.balance(), 5);
});

onBanks('a handler that returns although it rolled back has failed its attempt', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  let runs = 0;
  const pay = defineTask({
    name: 'pay',
    backoff: 0,
    run: async ({ complete }) => {
      runs += 1;
      const { tx, commit, rollback } = await bank.begin();
      await bank.pay(tx, 5);
      await complete('mine', { tx });
      if (runs === 1) await rollback();
      else await commit();
    },
  });
  const { id } = await longshore.enqueue(pay, null);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.equal((await longshore.jobs.get(id))?.state, 'completed');
  assert.deepEqual(
    (await longshore.jobs.get(id))?.errors.map(({ code }) => code),
    ['TRANSACTION_ROLLED_BACK'],
  );
  assert.equal(runs, 2);
  assert.equal(await bank.balance(), 5);
});

onBanks('a lease that was lost rolls the transaction back: effects count once', async (stage) => {
  const [longshore, other] = [await stage.connect(), await stage.connect()];
  const bank = await openBank(stage);
  const codes: unknown[] = [];
  let runs = 0;
  const pay = defineTask({
    name: 'pay',
    run: async ({ transaction, id }) => {
      runs += 1;
      // Between the claim and the transaction the job goes.
      if (runs === 1) await other.queues.obliterate('default', { force: true });
      await transaction(bank.db, (tx) => bank.pay(tx, 1)).catch((error) => {
        codes.push(error.code);
        throw error;
      });
      return id;
    },
  });
  await longshore.enqueue(pay, null);
  const first = await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.deepEqual(codes, ['LEASE_LOST']);
  assert.deepEqual([first.lost, first.completed], [1, 0]);
  assert.equal(await bank.balance(), 0);
});

onBanks('a cancel before the commit rolls back, and the job is cancelled', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  const pay = defineTask({
    name: 'pay',
    run: async ({ transaction, id, signal }) => {
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
      if (stage.kind === 'sqlite') {
        // Not inside: the file's lock would keep the cancel out.
        await longshore.jobs.cancel(id);
        await aborted;
      }
      await transaction(bank.db, async (tx) => {
        await bank.pay(tx, 1);
        await longshore.jobs.cancel(id);
        await aborted;
      });
    },
  });
  const job = await longshore.enqueue(pay, null);
  const worker = longshore.worker({ tasks: [pay] });
  await worker.start();
  await assert.rejects(job.result(), { code: 'JOB_CANCELLED' });
  await worker.stop();
  assert.equal(await bank.balance(), 0);
});

onBanks('a cancel that comes after the completion comes too late', async (stage) => {
  const [longshore, other] = [await stage.connect(), await stage.connect()];
  const bank = await openBank(stage);
  const { promise: asked, resolve: ask } = Promise.withResolvers<ActionReport>();
  const pay = defineTask({
    name: 'pay',
    run: async ({ complete, id }) => {
      const { tx, commit } = await bank.begin();
      await bank.pay(tx, 1);
      await complete('paid', { tx });
      // It waits for the end of the transaction.
      ask(other.jobs.cancel(id));
      await commit();
    },
  });
  const job = await longshore.enqueue(pay, null);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.equal(await job.result(), 'paid');
  const { refused } = await asked;
  assert.deepEqual(refused, [{ id: job.id, state: 'completed' }]);
  assert.equal(await bank.balance(), 1);
});

onBanks('twice in one attempt, at once or one after the other, is refused', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  const codes: unknown[] = [];
  const note = (error: { code?: unknown }): void => void codes.push(error.code);
  const pay = defineTask({
    name: 'pay',
    run: async ({ transaction, complete }) => {
      const first = transaction(bank.db, async (tx) => {
        await bank.pay(tx, 1);
        await transaction(bank.db, (inner) => bank.pay(inner, 1)).catch(note);
        return 'first';
      });
      await first;
      await transaction(bank.db, (tx) => bank.pay(tx, 1)).catch(note);
      const { tx, rollback } = await bank.begin();
      await complete('second', { tx }).catch(note);
      await rollback();
    },
  });
  const job = await longshore.enqueue(pay, null);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.equal(await job.result(), 'first');
  assert.deepEqual(codes, ['JOB_STATE_REFUSED', 'JOB_STATE_REFUSED', 'JOB_STATE_REFUSED']);
  assert.equal(await bank.balance(), 1);
});

onBanks('one that was rolled back may be tried again in the same attempt', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  const pay = defineTask({
    name: 'pay',
    run: async ({ transaction, complete }) => {
      const failing = transaction(bank.db, async (tx) => {
        await bank.pay(tx, 100);
        throw new Error('40001');
      });
      await assert.rejects(failing, /40001/);
      const { tx, rollback } = await bank.begin();
      await bank.pay(tx, 100);
      await complete('undone', { tx });
      await rollback();
      await transaction(bank.db, async (again) => {
        await bank.pay(again, 1);
        return 'third time';
      });
    },
  });
  const job = await longshore.enqueue(pay, null);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.equal(await job.result(), 'third time');
  assert.equal(await bank.balance(), 1);
});

onBanks('a result that cannot be stored rolls the writes back', async (stage) => {
  const longshore = await stage.connect({ payloadBytesMax: 100 });
  const bank = await openBank(stage);
  const pay = defineTask({
    name: 'pay',
    attempts: 1,
    run: ({ transaction, input }) =>
      transaction(bank.db, async (tx) => {
        await bank.pay(tx, 1);
        return input === 'large' ? 'x'.repeat(200) : () => 'no JSON';
      }) as Promise<never>,
  });
  const jobs = await longshore.enqueueMany(pay, ['large', 'function']);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  const codes = await Promise.all(
    jobs.map(async ({ id }) => (await longshore.jobs.get(id))?.errors[0]?.code),
  );
  assert.deepEqual(codes, ['PAYLOAD_TOO_LARGE', 'PAYLOAD_NOT_JSON']);
  assert.equal(await bank.balance(), 0);
});

onBanks('after the attempt has ended nothing is committed', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  const { promise: late, resolve } = Promise.withResolvers<unknown>();
  const pay = defineTask({
    name: 'pay',
    run: ({ transaction }) => {
      const { promise: ended, resolve: end } = Promise.withResolvers<void>();
      const floating = transaction(bank.db, async (tx) => {
        await bank.pay(tx, 1);
        await ended;
      });
      resolve(floating.catch((error) => error.code));
      setImmediate(end);
      return 'returned';
    },
  });
  const job = await longshore.enqueue(pay, null);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.equal(await job.result(), 'returned');
  assert.equal(await late, 'JOB_STATE_REFUSED');
  assert.equal(await bank.balance(), 0);
});

onBanks(
  'what a transaction is not is refused with what to do, and the writes of others stay',
  async (stage) => {
    const longshore = await stage.connect();
    const bank = await openBank(stage);
    const codes: unknown[] = [];
    const note = (error: { code?: unknown }): void => void codes.push(error.code);
    const pay = defineTask({
      name: 'pay',
      run: async ({ transaction, complete }) => {
        for (const db of [null, undefined, 1, {}, 'pool'])
          await transaction(db as unknown as object, async () => 1).catch(note);
        await transaction(bank.db, 'no function' as never).catch(note);
        // The store has no pool of a user's.
        await transaction(async () => 1).catch(note);
        for (const tx of [null, undefined, 1, {}])
          await complete(1, { tx: tx as unknown as object }).catch(note);
        await complete(1, undefined as never).catch(note);
        await complete(1, { tx: bank.db }).catch(note);
        return 'went on';
      },
    });
    const job = await longshore.enqueue(pay, null);
    await longshore.worker({ tasks: [pay] }).runUntilIdle();
    assert.equal(await job.result(), 'went on');
    assert.deepEqual(codes, Array(13).fill('OPTION_INVALID'));
  },
);

onEachStore(
  'a store without transactions says so',
  async (stage) => {
    const longshore = await stage.connect();
    const codes: unknown[] = [];
    const note = (error: { code?: unknown }): void => void codes.push(error.code);
    const pay = defineTask({
      name: 'pay',
      run: async ({ transaction, complete }) => {
        await transaction({}, async () => 1).catch(note);
        await complete(1, { tx: {} }).catch(note);
      },
    });
    await longshore.enqueue(pay, null);
    const { completed } = await longshore.worker({ tasks: [pay] }).runUntilIdle();
    assert.deepEqual([codes, completed], [['TRANSACTIONS_UNSUPPORTED', 'TRANSACTIONS_UNSUPPORTED'], 1]);
  },
  ['memory', 'redis'],
);

onBanks('where nothing is kept of ended jobs, who waits here gets the result', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  await longshore.queues.setRetention('default', { completed: { ageMs: null, count: 0 } });
  const pay = defineTask({
    name: 'pay',
    run: ({ transaction, input }) =>
      transaction(bank.db, async (tx) => {
        await bank.pay(tx, input as number);
        return { paid: input };
      }),
  });
  const worker = longshore.worker({ tasks: [pay] });
  await worker.start();
  const jobs = await longshore.enqueueMany(pay, [1, 2, 3]);
  assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [
    { paid: 1 },
    { paid: 2 },
    { paid: 3 },
  ]);
  await worker.stop();
  assert.equal(await bank.balance(), 6);
});

onBanks('results are sealed, and what the handler told before is there', async (stage) => {
  const longshore = await stage.connect({ encryption: { keys: [{ id: 'a', key: randomBytes(32) }] } });
  const bank = await openBank(stage);
  const pay = defineTask({
    name: 'pay',
    run: async ({ transaction, log, progress }) => {
      log('before');
      await transaction(bank.db, async () => {
        log('inside');
        progress(0.5);
        return 'the secret';
      });
      log('afterwards, which nobody keeps');
    },
  });
  const job = await longshore.enqueue(pay, null);
  await longshore.worker({ tasks: [pay] }).runUntilIdle();
  assert.equal(await job.result(), 'the secret');
  const seen = await longshore.jobs.get(job.id);
  assert.deepEqual(
    seen?.logs.map(({ message }) => message),
    ['before', 'inside'],
  );
  assert.equal(seen?.progress, 0.5);
});

onBanks('a step of a flow that completes so lets the next one start', async (stage) => {
  const longshore = await stage.connect();
  const bank = await openBank(stage);
  const pay = defineTask({
    name: 'pay',
    run: ({ transaction }) =>
      transaction(bank.db, async (tx) => {
        await bank.pay(tx, 1);
        return 'paid';
      }),
  });
  const ship = defineTask({ name: 'ship', run: ({ input }) => `shipped, since ${input}` });
  const order = defineFlow({
    name: 'order',
    steps: (s) => {
      const paid = s.step('pay', pay);
      return s.step('ship', ship, { input: () => paid });
    },
  });
  const run = await longshore.flows.start(order, null);
  await longshore.worker({ tasks: [pay, ship] }).runUntilIdle();
  assert.equal(await run.result(), 'shipped, since paid');
  assert.equal(await bank.balance(), 1);
});

onBanks(
  'a handler that goes on for longer than its lease after the commit is not asked to stop',
  async (stage) => {
    const longshore = await stage.connect();
    const bank = await openBank(stage);
    const seenAt = async (): Promise<number> => (await longshore.workers())[0]?.seenAt ?? 0;
    let aborted: boolean | null = null;
    const lost = record(longshore, 'job.lost');
    const pay = defineTask({
      name: 'pay',
      run: async ({ transaction, signal }) => {
        await transaction(bank.db, (tx) => bank.pay(tx, 1));
        // A beat names the jobs that the worker holds, and this is none of them any more.
        for (let beat = 0; beat < 2; beat += 1) {
          const last = await seenAt();
          await eventually(async () => (await seenAt()) > last);
        }
        aborted = signal.aborted;
      },
    });
    await longshore.enqueue(pay, null);
    const worker = longshore.worker({ tasks: [pay], leaseMs: 1_000 });
    await worker.runUntilIdle();
    assert.equal(aborted, false);
    assert.deepEqual(lost, []);
  },
);

onBanks('while a transaction is held open, others go on, or wait and lose nothing', async (stage) => {
  const [longshore, other] = [await stage.connect(), await stage.connect()];
  const bank = await openBank(stage);
  const { promise: release, resolve: open } = Promise.withResolvers<void>();
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const pay = defineTask({
    name: 'pay',
    run: async ({ complete, input }) => {
      if (input !== 'held') {
        await held;
        return;
      }
      const { tx, commit } = await bank.begin();
      await bank.pay(tx, 1);
      await complete(null, { tx });
      hold();
      await release;
      await commit();
    },
  });
  const trouble = record(longshore, 'store.failed', 'job.lost', 'job.retried');
  const worker = longshore.worker({ tasks: [pay], concurrency: 4 });
  const jobs = await longshore.enqueueMany(pay, ['held', 'mate', 'mate']);
  await worker.start();
  await held;
  const added = other.enqueue(pay, 'later');
  const others = jobs.slice(1).map((job) => job.result());
  if (stage.kind === 'postgres') {
    // The transaction is open all the while.
    await Promise.all([...others, (await added).result()]);
  } else await Promise.race([added, new Promise((resolve) => setImmediate(resolve))]);
  open();
  await Promise.all([...others, (await added).result(), jobs[0]?.result()]);
  await worker.stop();
  assert.deepEqual(trouble, []);
  assert.equal(await bank.balance(), 1);
});

onBanks('durable steps of a job go with its completion in a transaction', async (stage) => {
  const gone = Promise.withResolvers<void>();
  const longshore = await stage.connectThrough((store) => ({
    commit: async (units, options) => {
      const receipts = await store.commit(units, options);
      if (units[0]?.plans?.[0]?.value === null) gone.resolve();
      return receipts;
    },
  }));
  const bank = await openBank(stage);
  const pay = defineTask({
    name: 'pay',
    run: async ({ step, transaction }) => {
      const amount = await step('amount', () => 10);
      return transaction(bank.db, async (tx) => {
        await bank.pay(tx, amount);
        return amount;
      });
    },
  });
  const job = await longshore.enqueue(pay, null);
  const worker = longshore.worker({ tasks: [pay] });
  await worker.start();
  assert.equal(await job.result(), 10);
  await gone.promise;
  assert.deepEqual((await longshore.jobs.get(job.id))?.steps, []);
});
