import { settle as rule } from '../../core/settle-rule.ts';
import type {
  BeatReceipt,
  DisownRequest,
  GivenBack,
  TaskProfile,
  WorkerBeat,
  WorkerRecord,
} from '../store.ts';
import { parseStored } from '../stored-settings.ts';
import { pausedAmong } from './claim.ts';
import { Departures, heldBriefly, heldByWorker, mendLeases } from './leases.ts';
import { dropsOf } from './retention.ts';
import { type JobRow, type Tx, wholeMs } from './rows.ts';
import { applyChange, subjectOf } from './settle.ts';
import { replacedByOf } from './unique.ts';

/** The worker registry, and the leases that live and end with a worker. */
export function beat(tx: Tx, { worker, load, leaseMs }: WorkerBeat): BeatReceipt {
  tx.db.run(
    `INSERT INTO worker (id, host, pid, version, tasks, queues, started_at, seen_at, lease_ms, slots, slots_used, profiles)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET tasks = excluded.tasks, queues = excluded.queues, seen_at = excluded.seen_at,
       lease_ms = excluded.lease_ms, slots = excluded.slots, slots_used = excluded.slots_used,
       profiles = excluded.profiles`,
    worker.id,
    worker.host,
    worker.pid,
    worker.version,
    JSON.stringify(worker.tasks),
    JSON.stringify(worker.queues),
    wholeMs(worker.startedAt),
    tx.now,
    wholeMs(leaseMs),
    load.slots,
    load.slotsUsed,
    JSON.stringify(load.profiles),
  );
  mendLeases(tx);
  tx.db.run('UPDATE lease SET expires_at = ? WHERE worker_id = ?', wholeMs(tx.now + leaseMs), worker.id);
  const held = heldBriefly(tx, worker.id);
  return {
    now: tx.now,
    cancelled: held.filter((job) => job.cancel_requested === 1).map((job) => job.id),
    held: held.map((job) => job.id),
    paused: pausedAmong(tx, worker.queues),
  };
}

/** A worker that leaves gives back what it holds, by the settle rule for `released`. */
export function retire(tx: Tx, workerId: string): GivenBack[] {
  tx.db.run('DELETE FROM worker WHERE id = ?', workerId);
  mendLeases(tx);
  return release(tx, heldByWorker(tx, workerId));
}

export function disown(tx: Tx, { workerId, jobs, before }: DisownRequest): GivenBack[] {
  mendLeases(tx);
  const asked = new Set(jobs);
  const held = heldByWorker(tx, workerId);
  return release(
    tx,
    held.filter(({ id, started_at: startedAt }) => asked.has(id) && startedAt !== null && startedAt < before),
  );
}

function release(tx: Tx, jobs: readonly JobRow[]): GivenBack[] {
  const drops = dropsOf(tx);
  const departures = new Departures();
  const released = jobs.map((job) => {
    const subject = { ...subjectOf(job), replacedBy: replacedByOf(tx, job) };
    const change = rule(subject, { type: 'released' }, tx.now);
    applyChange(tx, job, 'release', change, drops);
    departures.add(job.lease as number);
    return { id: job.id, queue: job.queue, task: job.task, attempt: change.attempt, state: change.state };
  });
  departures.write(tx);
  return released;
}

interface WorkerRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly tasks: string;
  readonly queues: string;
  readonly started_at: number;
  readonly seen_at: number;
  readonly lease_ms: number;
  readonly slots: number;
  readonly slots_used: number;
  readonly profiles: string;
  readonly running: number;
}

export function workers(tx: Tx): WorkerRecord[] {
  const rows = tx.db.all<WorkerRow>(
    `SELECT *, (SELECT coalesce(sum(live), 0) FROM lease WHERE worker_id = worker.id) AS running
     FROM worker ORDER BY started_at, id`,
  );
  return rows.map((row) => ({
    id: row.id,
    host: row.host,
    pid: row.pid,
    version: row.version,
    tasks: listIn<string>(row.tasks),
    queues: listIn<string>(row.queues),
    startedAt: row.started_at,
    slots: row.slots,
    slotsUsed: row.slots_used,
    profiles: listIn<TaskProfile>(row.profiles),
    seenAt: row.seen_at,
    running: row.running,
    alive: row.seen_at + row.lease_ms > tx.now,
  }));
}

/** Empty where the column is damaged; the worker's next beat writes it anew. */
function listIn<Item>(text: string): Item[] {
  const list = parseStored(text);
  return Array.isArray(list) ? (list as Item[]) : [];
}
