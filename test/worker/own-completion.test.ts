/** ctx.transaction and ctx.complete: the handler's writes and the job's end commit together, or not at all. */
import assert from 'node:assert/strict';
import { defineTask } from '../../src/index.ts';
import { onEachStore, record, type Stage } from '../stage.ts';
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
