import { isTerminal, type JobState, statesThatAllow, WAITING_STATES } from '../../core/job-state.ts';
import type { ControlReceipt, JobCommand } from '../store.ts';
import { changeInput, rowInput } from './inputs.ts';
import { reportEnd } from './reports.ts';
import { type Drops, deleteJob, dropsOf } from './retention.ts';
import { type JobRow, jobById, requireMove, type Tx, wholeMs } from './rows.ts';
import { finish } from './settle.ts';
import { afterLeaving, TURN, turnAfter } from './turns.ts';
import { regainKey } from './unique.ts';

/** What operators do to single jobs, as far as the transition table allows it; audited where it applies. */
export function control(tx: Tx, commands: readonly JobCommand[]): ControlReceipt[] {
  const drops = dropsOf(tx);
  return commands.map((command) => {
    const job = jobById(tx, command.id);
    if (job === undefined) return { status: 'unknown', state: null };
    if (!isAllowed(command.type, job.state)) return { status: 'refused', state: job.state };
    const receipt = obey(tx, job, command, drops);
    audit(tx, job, command, receipt.state);
    return receipt;
  });
}

function isAllowed(type: JobCommand['type'], state: JobState): boolean {
  if (type === 'remove') return state !== 'running';
  if (type === 'reprioritize' || type === 'edit')
    return (WAITING_STATES as readonly JobState[]).includes(state);
  return statesThatAllow(type).includes(state);
}

function obey(tx: Tx, job: JobRow, command: JobCommand, drops: Drops): ControlReceipt {
  switch (command.type) {
    case 'cancel':
      return cancel(tx, job, drops);
    case 'redrive':
      return redrive(tx, job);
    case 'resolve':
      return resolve(tx, job, command.result, drops);
    case 'reschedule':
      return reschedule(tx, job, command.dueAt);
    case 'reprioritize':
      tx.db.run('UPDATE job SET priority = ? WHERE seq = ?', command.priority, job.seq);
      return { status: 'done', state: job.state };
    case 'edit':
      tx.db.run('UPDATE job SET input = ? WHERE seq = ?', rowInput(command.input), job.seq);
      changeInput(tx, job, command.input);
      return { status: 'done', state: job.state };
    case 'remove':
      remove(tx, job);
      return { status: 'done', state: null };
  }
}

function cancel(tx: Tx, job: JobRow, drops: Drops): ControlReceipt {
  if (job.state === 'running') {
    tx.db.run('UPDATE job SET cancel_requested = 1 WHERE seq = ?', job.seq);
    tx.topics.add('control');
    return { status: 'requested', state: 'running' };
  }
  requireMove(job, 'cancel', 'cancelled');
  tx.db.run(
    `UPDATE job SET state = 'cancelled', turn = ?, cancel_requested = 1, finished_at = ? WHERE seq = ?`,
    turnAfter(tx, job, 'cancel', 'cancelled'),
    tx.now,
    job.seq,
  );
  afterLeaving(tx, job);
  finish(tx, job, 'cancelled', drops);
  return { status: 'done', state: 'cancelled' };
}

function redrive(tx: Tx, job: JobRow): ControlReceipt {
  requireMove(job, 'redrive', 'ready');
  tx.db.run(
    `UPDATE job SET state = 'ready', turn = ?, attempt = 0, crashes = 0, cancel_requested = 0, due_at = ?,
       finished_at = NULL
     WHERE seq = ?`,
    turnAfter(tx, job, 'redrive', 'ready'),
    tx.now,
    job.seq,
  );
  regainKey(tx, job);
  tx.topics.add('ready');
  return { status: 'done', state: 'ready' };
}

function resolve(tx: Tx, job: JobRow, result: string | null, drops: Drops): ControlReceipt {
  requireMove(job, 'resolve', 'completed');
  tx.db.run(
    `UPDATE job SET state = 'completed', result = ?, finished_at = ? WHERE seq = ?`,
    result,
    tx.now,
    job.seq,
  );
  finish(tx, job, 'completed', drops);
  return { status: 'done', state: 'completed' };
}

function reschedule(tx: Tx, job: JobRow, dueAt: number): ControlReceipt {
  const state = dueAt > tx.now ? 'scheduled' : 'ready';
  requireMove(job, 'reschedule', state);
  const due = Math.max(wholeMs(dueAt), tx.now);
  const turn = turnAfter(tx, job, 'reschedule', state);
  tx.db.run('UPDATE job SET state = ?, turn = ?, due_at = ? WHERE seq = ?', state, turn, due, job.seq);
  if (turn > TURN.line) afterLeaving(tx, job);
  tx.topics.add('ready');
  return { status: 'done', state };
}

/** Deletes a job and frees its key. Whoever waits for its end learns that it is gone. */
function remove(tx: Tx, job: JobRow): void {
  if (job.meta !== null && !isTerminal(job.state)) reportEnd(tx, job.seq);
  if (job.unique_key !== null)
    tx.db.run('DELETE FROM unique_key WHERE key = ? AND id = ?', job.unique_key, job.id);
  deleteJob(tx, job);
  afterLeaving(tx, job);
  tx.topics.add('settled');
}

/** Nothing is written for a job that is gone: its trail went with it. */
function audit(tx: Tx, job: JobRow, { type, by, why }: JobCommand, to: JobState | null): void {
  tx.db.run(
    `INSERT INTO audit (seq, at, action, by, why, from_state, to_state)
     SELECT ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM job WHERE seq = ?)`,
    job.seq,
    tx.now,
    type,
    by,
    why,
    job.state,
    to,
    job.seq,
  );
}
