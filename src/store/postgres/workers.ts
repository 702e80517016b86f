import type { BeatReceipt, TaskProfile, WorkerBeat, WorkerRecord } from '../store.ts';
import { jsonOf } from './lists.ts';
import type { Tx } from './rows.ts';

/** The worker registry, and the leases that live with a worker. They end with it in maintain.ts. */
export async function beat(tx: Tx, input: WorkerBeat): Promise<BeatReceipt> {
  const [answer] = await tx.query<BeatRow>(`SELECT * FROM ${tx.schema}.beat($1, $2)`, [
    beatText(input),
    tx.now,
  ]);
  return toReceipt(answer, tx.now, input.now !== undefined);
}

export interface BeatRow {
  readonly unseen_ms: number;
  readonly held: readonly string[];
  readonly cancelled: readonly string[];
  readonly paused: readonly string[];
}

/** As the SQL function `beat` takes it. */
export function beatText({ worker, load, leaseMs }: WorkerBeat): string {
  return jsonOf({ worker, load, leaseMs });
}

/**
 * What a transaction that is still open has claimed is not among `held`; so the receipt is told as of a time at which
 * there was none. A given time is the only clock, and says itself when claims were made.
 */
export function toReceipt(row: BeatRow | undefined, now: number, given: boolean): BeatReceipt {
  const { unseen_ms: unseenMs, ...told } = row ?? { unseen_ms: 0, held: [], cancelled: [], paused: [] };
  const { held, cancelled, paused } = told;
  return { now: given ? now : now - unseenMs, held, cancelled, paused };
}

interface WorkerRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly tasks: readonly string[];
  readonly queues: readonly string[];
  readonly started_at: number;
  readonly seen_at: number;
  readonly lease_ms: number;
  readonly slots: number;
  readonly slots_used: number;
  readonly profiles: readonly TaskProfile[];
  readonly running: number;
}

export async function workers(tx: Tx): Promise<WorkerRecord[]> {
  const rows = await tx.query<WorkerRow>(
    `SELECT id, host, pid, version, to_json(tasks) AS tasks, to_json(queues) AS queues, started_at, seen_at, lease_ms,
       slots, slots_used, profiles,
       (SELECT coalesce(sum(live), 0)::bigint FROM ${tx.schema}.lease WHERE worker_id = worker.id) AS running
     FROM ${tx.schema}.worker ORDER BY started_at, id`,
  );
  return rows.map((row) => ({
    id: row.id,
    host: row.host,
    pid: row.pid,
    version: row.version,
    tasks: row.tasks,
    queues: row.queues,
    startedAt: row.started_at,
    slots: row.slots,
    slotsUsed: row.slots_used,
    profiles: row.profiles,
    seenAt: row.seen_at,
    running: row.running,
    alive: row.seen_at + row.lease_ms > tx.now,
  }));
}
