import { isTerminal, type JobMove, type TerminalState } from '../../core/job-state.ts';
import { isGivenBack, type OutcomeType } from '../../core/outcome.ts';
import { type JobChange, settle as rule, type SettleSubject } from '../../core/settle-rule.ts';
import type { AnnotateReceipt, Note, Settlement, SettleReceipt } from '../store.ts';
import { completeOne, completeRun, completeTogether } from './complete.ts';
import { type Completions, type Run, settlementsOf } from './completions.ts';
import { Departures, parseToken, type Token } from './leases.ts';
import { reportEnd } from './reports.ts';
import { type Drops, deleteJob, dropsOf } from './retention.ts';
import { type Ending, type JobRow, requireMove, type Tx, wholeMs } from './rows.ts';
import { addError, addLogs } from './trail.ts';
import { afterLeaving, TURN, turnAfter } from './turns.ts';
import { releaseKey, replacedByOf } from './unique.ts';

/** Outcomes in, each fenced by its token: the settle rule decides, this writes it down. */

const LEASED = `SELECT * FROM job WHERE seq = ? AND id = ? AND lease = ? AND state = 'running'`;

const MOVES: Readonly<Record<OutcomeType, JobMove>> = {
  completed: 'complete',
  retried: 'retry',
  failed: 'fail',
  cancelled: 'cancel',
  snoozed: 'snooze',
  released: 'release',
};

export function settle(tx: Tx, settlements: readonly Settlement[] | Completions): SettleReceipt[] {
  const drops = dropsOf(tx);
  const departures = new Departures();
  const receipts =
    'runs' in settlements
      ? settlements.runs.flatMap((run) => settleRun(tx, run, drops, departures))
      : settleAll(tx, settlements, drops, departures);
  departures.write(tx);
  return receipts;
}

function settleRun(tx: Tx, run: Run, drops: Drops, departures: Departures): SettleReceipt[] {
  if (!drops.none || !completeRun(tx, run)) return settleAll(tx, settlementsOf(run), drops, departures);
  departures.add(run.batch, run.jobs);
  tx.topics.add('settled');
  return Array<SettleReceipt>(run.jobs).fill(COMPLETED);
}

function settleAll(
  tx: Tx,
  settlements: readonly Settlement[],
  drops: Drops,
  departures: Departures,
): SettleReceipt[] {
  const together = drops.none && completeTogether(tx, settlements, departures);
  return settlements.map((settlement) =>
    together && settlement.outcome.type === 'completed'
      ? COMPLETED
      : settleOne(tx, settlement, drops, departures),
  );
}

const COMPLETED: SettleReceipt = { status: 'settled', state: 'completed' };

function settleOne(
  tx: Tx,
  { id, token: text, outcome }: Settlement,
  drops: Drops,
  departures: Departures,
): SettleReceipt {
  const token = parseToken(text);
  if (token === null) return { status: 'lost' };
  const { batch } = token;
  if (outcome.type === 'completed' && drops.none) {
    if (completeOne(tx, id, token, outcome.result)) {
      departures.add(batch);
      tx.topics.add('settled');
      return COMPLETED;
    }
  }
  const job = leasedJob(tx, id, token);
  if (job === undefined) return { status: 'lost' };
  const replacedBy = isGivenBack(outcome) ? replacedByOf(tx, job) : undefined;
  const change = rule({ ...subjectOf(job), replacedBy }, outcome, tx.now);
  applyChange(tx, job, MOVES[outcome.type], change, drops);
  departures.add(batch);
  return { status: 'settled', state: change.state };
}

/** Whether this is the job's current token. */
export function isLeased(tx: Tx, { id, token: text }: Settlement): boolean {
  const token = parseToken(text);
  return token !== null && leasedJob(tx, id, token) !== undefined;
}

export function subjectOf(job: JobRow): SettleSubject {
  const { attempt, attempts_max: attemptsMax, crashes } = job;
  return { attempt, attemptsMax, crashes, cancelRequested: job.cancel_requested === 1 };
}

/** Writes down what the settle rule returned for a running job, and all that follows from it. */
export function applyChange(tx: Tx, job: JobRow, move: JobMove, change: JobChange, drops: Drops): void {
  requireMove(job, move, change.state);
  const turn = turnAfter(tx, job, move, change.state);
  tx.db.run(
    `UPDATE job SET state = ?, turn = ?, attempt = ?, crashes = ?, due_at = ?, finished_at = ?, result = ?, lease = NULL
     WHERE seq = ?`,
    change.state,
    turn,
    change.attempt,
    change.crashes,
    wholeMs(change.dueAt ?? job.due_at),
    change.finishedAt ?? null,
    change.result ?? null,
    job.seq,
  );
  if (turn > TURN.line) afterLeaving(tx, job);
  if (change.error !== undefined) addError(tx, job.seq, change.error);
  if (isTerminal(change.state)) finish(tx, job, change.state, drops);
  else tx.topics.add('ready');
}

/** The one door out: a job that has just ended reports to its plan, gives its key up, and goes at once where nothing is kept. */
export function finish(tx: Tx, job: Ending, state: TerminalState, drops: Drops): void {
  tx.topics.add('settled');
  if (job.meta !== null) reportEnd(tx, job.seq);
  releaseKey(tx, job, state);
  if (drops.has(job.queue, state)) deleteJob(tx, job);
}

export function annotate(tx: Tx, notes: readonly Note[]): AnnotateReceipt[] {
  return notes.map((note) => {
    const token = parseToken(note.token);
    const job = token === null ? undefined : leasedJob(tx, note.id, token);
    if (job === undefined) return 'lost';
    if (note.progress !== undefined)
      tx.db.run('UPDATE job SET progress = ? WHERE seq = ?', note.progress, job.seq);
    if (note.logs !== undefined) addLogs(tx, job.seq, note.logs);
    return 'noted';
  });
}

function leasedJob(tx: Tx, id: string, { batch, seq }: Token): JobRow | undefined {
  return tx.db.get<JobRow>(LEASED, seq, id, batch);
}
