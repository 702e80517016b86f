import { isTerminal, type JobState, statesThatAllow, WAITING_STATES } from '../../core/job-state.ts';
import { changeLimits, LIMITS_NONE } from '../../core/limits.ts';
import type { ControlReceipt, JobCommand, QueueChange, QueueSettings } from '../store.ts';
import { changeAgeing } from './ageing.ts';
import { isHeld } from './enqueue.ts';
import { settingsOf } from './inspect.ts';
import type { JobRow } from './records.ts';
import type { Rows } from './rows.ts';
import { finish, hintRoom, report } from './settle.ts';

/** What operators do to jobs and queues. */
export function control(rows: Rows, commands: readonly JobCommand[], now: number): ControlReceipt[] {
  return commands.map((command) => {
    const job = rows.jobs.get(command.id);
    if (job === undefined) return { status: 'unknown', state: null };
    const from = job.state;
    const receipt = obey(rows, job, command, now);
    if (receipt.status !== 'refused') {
      const { type: action, by, why } = command;
      job.audit.push({ at: now, action, by, why, from, to: receipt.state });
    }
    return receipt;
  });
}

function obey(rows: Rows, job: JobRow, command: JobCommand, now: number): ControlReceipt {
  if (!isAllowed(command.type, job.state)) return { status: 'refused', state: job.state };
  switch (command.type) {
    case 'cancel':
      return cancel(rows, job, now);
    case 'redrive':
      return redrive(rows, job, now);
    case 'resolve':
      rows.move(job, 'resolve', 'completed', () => {
        job.result = command.result;
        job.finishedAt = now;
      });
      finish(rows, job, now);
      return { status: 'done', state: 'completed' };
    case 'reschedule':
      return reschedule(rows, job, command.dueAt, now);
    case 'reprioritize':
      rows.rearrange(job, null, () => {
        job.priority = command.priority;
      });
      return { status: 'done', state: job.state };
    case 'edit':
      job.input = command.input;
      return { status: 'done', state: job.state };
    case 'remove':
      remove(rows, [job], now);
      return { status: 'done', state: null };
  }
}

function isAllowed(type: JobCommand['type'], state: JobState): boolean {
  if (type === 'remove') return state !== 'running';
  if (type === 'reprioritize' || type === 'edit')
    return (WAITING_STATES as readonly JobState[]).includes(state);
  return statesThatAllow(type).includes(state);
}

function cancel(rows: Rows, job: JobRow, now: number): ControlReceipt {
  job.cancelRequested = true;
  if (job.state === 'running') {
    rows.topics.add('control');
    return { status: 'requested', state: 'running' };
  }
  rows.move(job, 'cancel', 'cancelled', () => {
    job.finishedAt = now;
  });
  finish(rows, job, now);
  return { status: 'done', state: 'cancelled' };
}

/** The job takes its unique key again, or goes on without one if somebody else has it by now. */
function redrive(rows: Rows, job: JobRow, now: number): ControlReceipt {
  rows.move(job, 'redrive', 'ready', () => {
    job.attempt = 0;
    job.crashes = 0;
    job.dueAt = now;
    job.finishedAt = null;
    job.cancelRequested = false;
  });
  if (job.uniqueKey !== null) {
    const hold = rows.keys.get(job.uniqueKey);
    if (hold === undefined || !isHeld(rows, hold, now))
      rows.keys.set(job.uniqueKey, { id: job.id, untilAt: now, state: 'ready' });
    else if (hold.id !== job.id) job.uniqueKey = null;
  }
  rows.topics.add('ready');
  return { status: 'done', state: 'ready' };
}

function reschedule(rows: Rows, job: JobRow, dueAt: number, now: number): ControlReceipt {
  const state = dueAt > now ? 'scheduled' : 'ready';
  rows.move(job, 'reschedule', state, () => {
    job.dueAt = Math.max(dueAt, now);
  });
  rows.topics.add('ready');
  return { status: 'done', state };
}

/** Deletes jobs and frees their unique keys. */
function remove(rows: Rows, jobs: readonly JobRow[], now: number): void {
  for (const job of jobs) if (!isTerminal(job.state)) report(rows, job, now);
  for (const { id, uniqueKey } of jobs)
    if (uniqueKey !== null && rows.keys.get(uniqueKey)?.id === id) rows.keys.delete(uniqueKey);
  rows.remove(jobs);
}

/** The newest first, so that no held job is let in only to be deleted. */
export function matching(rows: Rows, queue: string, states: readonly JobState[]): JobRow[] {
  return rows.bySeq.filter((job) => isIn(job, queue, states)).reverse();
}

function isIn(job: JobRow, queue: string, states: readonly JobState[]): boolean {
  return !job.gone && job.queue === queue && states.includes(job.state);
}

/** Deletes those of these jobs that are still in the queue and the states. */
export function clear(
  rows: Rows,
  { queue, states, jobs }: { queue: string; states: readonly JobState[]; jobs: readonly JobRow[] },
  now: number,
): number {
  const doomed = jobs.filter((job) => isIn(job, queue, states));
  remove(rows, doomed, now);
  if (doomed.length > 0) hintRoom(rows, queue);
  return doomed.length;
}

export function configureQueue(rows: Rows, name: string, change: QueueChange, now: number): QueueSettings {
  // Checked before anything is changed.
  const limits = change.limits && changeLimits(rows.queues.get(name)?.limits ?? LIMITS_NONE, change.limits);
  const ageing = changeAgeing(rows.queues.get(name)?.ageing ?? null, change.ageing, now);
  const queue = rows.queue(name);
  queue.configured = true;
  queue.ageing = ageing;
  if (change.paused !== undefined) {
    queue.pausedAt = change.paused ? (queue.pausedAt ?? now) : null;
    rows.topics.add('control');
    if (!change.paused) rows.topics.add('ready');
  }
  if (change.retention !== undefined)
    queue.retention = structuredClone({ ...queue.retention, ...change.retention });
  if (limits !== undefined) {
    rows.setLimits(queue, structuredClone(limits), now);
    rows.topics.add('ready');
  }
  return settingsOf(queue);
}
