import type { Report } from '../../store/plans.ts';
import { due, reporting } from './plan-trial.ts';
import {
  attemptError,
  completed,
  failed,
  LEASE_MS,
  only,
  ordered,
  retried,
  T0,
  type Trial,
} from './trial.ts';

interface Expected {
  readonly state: Report['state'];
  readonly result?: string;
  readonly message?: string;
}

const BROKE: Expected = { state: 'failed', message: 'it broke' };

/** Every way in which a job of plan `p` can end, and what it reports then. */
export const ENDS: Readonly<Record<string, (trial: Trial) => Promise<Expected>>> = {
  'it fails for good': async (trial) => {
    await trial.settle(await trial.start(reporting('s:a:0')), failed());
    return BROKE;
  },
  'its attempts are used up': async (trial) => {
    await trial.settle(await trial.start({ ...reporting('s:a:0'), attemptsMax: 1 }), retried());
    return BROKE;
  },
  'its handler is cancelled': async (trial) => {
    await trial.settle(await trial.start(reporting('s:a:0')), { type: 'cancelled', error: attemptError() });
    return { state: 'cancelled', message: 'it broke' };
  },
  'it is cancelled while it waits': async (trial) => {
    const id = await trial.add(reporting('s:a:0'));
    await trial.control({ type: 'cancel', id });
    return { state: 'cancelled' };
  },
  'it is cancelled before it is due': async (trial) => {
    const id = await trial.add({ ...reporting('s:a:0'), delayMs: 60_000 });
    await trial.control({ type: 'cancel', id });
    return { state: 'cancelled' };
  },
  'it was to be cancelled and its lease expires': async (trial) => {
    const { id } = await trial.start(reporting('s:a:0'));
    await trial.control({ type: 'cancel', id });
    const { reaped } = await trial.store.reap({ now: T0 + LEASE_MS });
    return { state: 'cancelled', message: only(reaped).error.message };
  },
  'it loses its last lease': async (trial) => {
    await trial.start(reporting('s:a:0'));
    const { reaped } = await trial.store.reap({ now: T0 + LEASE_MS, crashesMax: 1 });
    return { state: 'failed', message: only(reaped).error.message };
  },
  'it was to be cancelled and its worker retires': async (trial) => {
    const { id } = await trial.start(reporting('s:a:0'));
    await trial.control({ type: 'cancel', id });
    await trial.store.retire('w1', { now: T0 });
    return { state: 'cancelled' };
  },
  'it is removed while it waits': async (trial) => {
    const id = await trial.add(reporting('s:a:0'));
    await trial.control({ type: 'remove', id });
    return { state: 'cancelled' };
  },
  'its queue is cleared while it waits': async (trial) => {
    await trial.add(reporting('s:a:0'));
    await trial.store.clear('q', ['ready']);
    return { state: 'cancelled' };
  },
  'its queue is cleared while it runs': async (trial) => {
    await trial.start(reporting('s:a:0'));
    await trial.store.clear('q', ['running']);
    return { state: 'cancelled' };
  },
  'its queue keeps nothing of what ends': async (trial) => {
    await trial.store.configureQueue('q', { retention: { completed: { ageMs: 0, count: null } } });
    await trial.settle(await trial.start(reporting('s:a:0')), completed('7'));
    return { state: 'completed', result: '7' };
  },
  'it has a key and completes': async (trial) => {
    await trial.settle(await trial.start({ ...reporting('s:a:0'), key: 'k' }), completed('7'));
    return { state: 'completed', result: '7' };
  },
  'it failed, reported, and is resolved by hand': async (trial) => {
    const lease = await trial.start(reporting('s:a:0'));
    await trial.settle(lease, failed());
    await take(trial);
    await trial.store.control([ordered({ type: 'resolve', id: lease.id, result: '9' })], { now: T0 });
    return { state: 'completed', result: '9' };
  },
};

async function take(trial: Trial): Promise<void> {
  const plan = await due(trial, 'p');
  const { key, kind, label, state, version, value, wakeAt, expiresAt } = plan;
  const taken = plan.reports.map(({ no }) => no);
  await trial.store.commit([
    { plans: [{ key, kind, label, state, version, value, wakeAt, expiresAt, taken }] },
  ]);
}
