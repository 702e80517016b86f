import { type JobState, statesThatAllow, TERMINAL_STATES, WAITING_STATES } from '../../core/job-state.ts';
import type { Topic } from '../notifier.ts';
import type { ControlReceipt, JobCommand } from '../store.ts';
import { edit } from './edit.ts';
import { earliestEnd } from './inspect.ts';
import { jsonOf } from './lists.ts';
import { isUuid, type Tx } from './rows.ts';

/**
 * What operators do to single jobs, as far as the transition table allows it; audited where it applies. One call of a
 * function of the database does the batch, command by command, so that each meets the effects of those before it.
 */
export async function control(tx: Tx, commands: readonly JobCommand[]): Promise<ControlReceipt[]> {
  // A batch is of one kind (src/queue/jobs.ts), but need not be.
  if (commands.some(({ type }) => type === 'edit')) return oneByOne(tx, commands);
  const known = commands.filter(({ id }) => isUuid(id));
  const rows = known.length === 0 ? [] : await obey(tx, known);
  const receipts = new Map<JobCommand, ControlReceipt>();
  for (const { place, status, state } of rows) {
    const command = known[place - 1];
    if (command !== undefined) receipts.set(command, { status, state } as ControlReceipt);
    else for (const topic of status.split(',')) tx.topics.add(topic as Topic);
  }
  return commands.map((command) => receipts.get(command) ?? { status: 'unknown', state: null });
}

async function oneByOne(tx: Tx, commands: readonly JobCommand[]): Promise<ControlReceipt[]> {
  const receipts: ControlReceipt[] = [];
  for (const command of commands)
    receipts.push(...(command.type === 'edit' ? [await edit(tx, command)] : await control(tx, [command])));
  return receipts;
}

interface ControlRow {
  /** From 1; 0 for the row that tells the topics. */
  readonly place: number;
  readonly status: string;
  readonly state: string | null;
}

function obey(tx: Tx, commands: readonly JobCommand[]): Promise<ControlRow[]> {
  return tx.query(`SELECT * FROM ${tx.schema}.control($1, $2, $3, $4)`, [
    jsonOf(commands),
    ALLOWED,
    tx.now,
    earliestEnd(commands.map(({ id }) => id)),
  ]);
}

const ALLOWED = JSON.stringify({
  cancel: statesThatAllow('cancel'),
  redrive: statesThatAllow('redrive'),
  resolve: statesThatAllow('resolve'),
  reschedule: statesThatAllow('reschedule'),
  reprioritize: WAITING_STATES,
  edit: WAITING_STATES,
  remove: [...WAITING_STATES, ...TERMINAL_STATES],
} satisfies Record<JobCommand['type'], readonly JobState[]>);
