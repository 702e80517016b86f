import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomSlotSupplier, SlotPermit } from '@temporalio/worker';
import { pollPermits } from '../../../src/connectors/temporal/slots.ts';
import type { TemporalTuner } from '../../../src/connectors/temporal/tuner.ts';
import { createRunner, type Runner } from '../../../src/engine/runner.ts';
import { stageFor } from './stage.ts';
import { echo, gate, gates } from './tasks.ts';

const NEVER = new AbortController().signal;
const CONTEXT = {} as Parameters<Supplier['reserveSlot']>[0];

// biome-ignore lint/suspicious/noExplicitAny: the facts of a slot are not looked at.
type Supplier = CustomSlotSupplier<any>;

function suppliers(runner: Runner, tuner: TemporalTuner & { kind: 'longshore' }) {
  const permits = pollPermits(tuner, runner);
  const { activityTaskSlotSupplier, workflowTaskSlotSupplier } = permits.tuner as unknown as Record<
    string,
    Supplier
  >;
  return {
    permits,
    activities: activityTaskSlotSupplier as Supplier,
    workflows: workflowTaskSlotSupplier as Supplier,
  };
}

async function runnerOf(t: { after(end: () => Promise<void>): void }, concurrency: number): Promise<Runner> {
  const runner = createRunner({ engine: 'temporal', tasks: [echo], concurrency, logger: false });
  t.after(() => runner.stop());
  await runner.start();
  return runner;
}

test('as many polls for activities are open as there are free slots, and they hold none', async (t) => {
  const runner = await runnerOf(t, 2);
  const { activities, permits } = suppliers(runner, { kind: 'longshore' });
  const first = await activities.reserveSlot(CONTEXT, NEVER);
  await activities.reserveSlot(CONTEXT, NEVER);
  assert.equal(runner.free(), 2);
  assert.equal(activities.tryReserveSlot(CONTEXT), null);
  const third = activities.reserveSlot(CONTEXT, NEVER);
  assert.equal(permits.counts().activities.permits, 2);
  activities.releaseSlot({ permit: first });
  await third;
  assert.equal(permits.counts().activities.permits, 2);
});

test('slots that others of the process take and give back close and open polls', async (t) => {
  const runner = await runnerOf(t, 2);
  const { activities } = suppliers(runner, { kind: 'longshore' });
  const other = await runner.acquire();
  const both = await runner.acquire();
  assert.equal(activities.tryReserveSlot(CONTEXT), null);
  const reserved = activities.reserveSlot(CONTEXT, NEVER);
  other.release();
  await reserved;
  assert.equal(activities.tryReserveSlot(CONTEXT), null);
  both.release();
  assert.notEqual(activities.tryReserveSlot(CONTEXT), null);
});

test('workflow tasks have their minimum whatever runs, and above it need free slots, up to their maximum', async (t) => {
  const runner = await runnerOf(t, 1);
  const { workflows } = suppliers(runner, { kind: 'longshore', workflows: { min: 2, max: 4 } });
  const busy = await runner.acquire();
  const have = [workflows.tryReserveSlot(CONTEXT), workflows.tryReserveSlot(CONTEXT)];
  assert.ok(have.every((permit) => permit !== null));
  assert.equal(workflows.tryReserveSlot(CONTEXT), null);
  for (const permit of have) workflows.markSlotUsed({ permit: permit as SlotPermit, slotInfo: {} });
  busy.release();
  const third = workflows.tryReserveSlot(CONTEXT) as SlotPermit;
  assert.notEqual(third, null);
  workflows.markSlotUsed({ permit: third, slotInfo: {} });
  assert.notEqual(workflows.tryReserveSlot(CONTEXT), null);
  assert.equal(workflows.tryReserveSlot(CONTEXT), null);
});

test('an aborted reservation is refused with the reason, and nobody is served in its place', async (t) => {
  const runner = await runnerOf(t, 1);
  const { activities, permits } = suppliers(runner, { kind: 'longshore' });
  const held = await activities.reserveSlot(CONTEXT, NEVER);
  const aborted = new AbortController();
  const refused = activities.reserveSlot(CONTEXT, aborted.signal);
  const reason = new Error('no longer needed');
  aborted.abort(reason);
  await assert.rejects(refused, reason);
  activities.releaseSlot({ permit: held });
  activities.releaseSlot({ permit: held });
  assert.equal(permits.counts().activities.permits, 0);
});

test('a worker that stops has no permits out, and refuses what waits', async (t) => {
  const runner = await runnerOf(t, 1);
  const { activities, permits } = suppliers(runner, { kind: 'longshore' });
  await activities.reserveSlot(CONTEXT, NEVER);
  const waits = activities.reserveSlot(CONTEXT, NEVER);
  permits.close();
  await assert.rejects(waits);
  assert.deepEqual(permits.counts().activities, { permits: 0, used: 0 });
  assert.equal(activities.tryReserveSlot(CONTEXT), null);
});

test('fewer slots are fewer activities at once, whatever polls are open', async (t) => {
  const stage = await stageFor(t);
  if (stage === null) return;
  const worker = await stage.worker({
    activities: { gate },
    tuner: { kind: 'longshore', activities: { min: 4, max: 4 }, localActivities: { min: 4, max: 4 } },
  });
  // All four polls are open by now or soon: then another part of the process takes three slots.
  const others = await Promise.all([1, 2, 3].map(() => worker.runner.acquire()));
  let most = 0;
  const opened: Promise<void>[] = [];
  worker.on('job.started', () => {
    most = Math.max(most, worker.runner.running);
    opened.push(Promise.resolve().then(() => openNext()));
  });
  assert.deepEqual(await stage.run('fan', 'gate', 6, {}), [0, 1, 2, 3, 4, 5]);
  assert.equal(most, 1);
  for (const permit of others) permit.release();
  await Promise.all(opened);
});

/** The handler that has just started puts its gate down in its first turn. */
function openNext(): void {
  const open = gates.shift();
  if (open === undefined) setImmediate(openNext);
  else open();
}
