import type { JobState } from '../../core/job-state.ts';
import { WAITING_STATES } from '../../core/job-state.ts';
import type { ControlReceipt, JobCommand } from '../store.ts';
import { earliestEnd } from './inspect.ts';
import { isUuid, type Tx } from './rows.ts';

/** Another input for a waiting job. People do it now and then: a few statements are fast enough. */
export async function edit(
  tx: Tx,
  command: Extract<JobCommand, { readonly type: 'edit' }>,
): Promise<ControlReceipt> {
  const { schema } = tx;
  const { id, input, by, why } = command;
  const job = isUuid(id) ? await locked(tx, id) : undefined;
  if (job === undefined) return ended(tx, id);
  const { seq, state } = job;
  if (!(WAITING_STATES as readonly JobState[]).includes(state)) return { status: 'refused', state };
  await tx.query(`UPDATE ${schema}.job SET input = $2 WHERE seq = $1`, [seq, input]);
  const entry = { at: tx.now, action: 'edit', by, why, from: state, to: state };
  await tx.query(`SELECT ${schema}.audit_job($1, $2::json)::text`, [seq, JSON.stringify(entry)]);
  return { status: 'done', state };
}

interface Locked {
  readonly seq: number;
  readonly state: JobState;
  readonly turn: number;
}

/** As in turns.ts: neither the row of a fresh job nor its place in the line says yet what is so. */
const FRESH = 3;

async function locked(tx: Tx, id: string): Promise<Locked | undefined> {
  const { schema } = tx;
  const select = `SELECT seq, state::text AS state, turn FROM ${schema}.job WHERE id = $1::uuid FOR UPDATE`;
  const [job] = await tx.query<Locked>(select, [id]);
  if (job?.turn !== FRESH) return job;
  await tx.query(`SELECT ${schema}.ground(ARRAY[$1::bigint])::text`, [job.seq]);
  return (await tx.query<Locked>(select, [id]))[0];
}

async function ended(tx: Tx, id: string): Promise<ControlReceipt> {
  if (!isUuid(id)) return { status: 'unknown', state: null };
  const [job] = await tx.query<{ state: JobState | null }>(
    `SELECT state::text AS state FROM ${tx.schema}.ended_job($1::uuid, $2)`,
    [id, earliestEnd([id])],
  );
  return job?.state == null ? { status: 'unknown', state: null } : { status: 'refused', state: job.state };
}
