import type { AttemptError } from '../../core/errors.ts';
import { optionInvalid } from '../../core/errors.ts';
import type { AuditEntry, Job, LogLine } from '../../core/job.ts';
import { JOB_STATES } from '../../core/job-state.ts';
import type { JobFilter, JobPage, JobTrail } from '../store.ts';
import { idBytes, type JobRecord, readId, readRecord } from './record.ts';
import type { Session } from './session.ts';
import { stateNumber, stateOf } from './states.ts';

/** So many jobs a call, or fewer large ones: a script must not hold the server up for long. */
const GET_MOST = 500;

/** What there is to see. Nothing here writes. */
export async function get(session: Session, ids: readonly string[]): Promise<(Job | null)[]> {
  const jobs: (Job | null)[] = [];
  while (jobs.length < ids.length) {
    const wanted = ids.slice(jobs.length, jobs.length + GET_MOST).map(idBytes);
    const { values } = await session.scripts.run('get', undefined, wanted);
    jobs.push(...(await toJobs(session, values[0] as Shown[])));
  }
  return jobs;
}

/** A call of the script looks at a bounded number of jobs; where few are wanted among many, it takes several. */
export async function list(session: Session, filter: JobFilter): Promise<JobPage> {
  const { states = JOB_STATES, queue = '', task = '', correlationId = '', tag = '', limit, cursor } = filter;
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw optionInvalid('cursor', cursor, 'the cursor of an earlier page');
  const found: Shown[] = [];
  let below = cursor ?? '';
  while (found.length <= limit && below !== END) {
    // One more than wanted tells whether there is another page.
    const want = String(limit + 1 - found.length);
    const terms = [correlationId, tag, idBytes(correlationId)];
    const args = [below, states.map(stateNumber).join(''), queue, task, want, ...terms];
    const { values } = await session.scripts.run('list', undefined, args);
    const [next, shown, most] = values as [number, Shown[], number];
    found.push(...shown);
    // All that are counted were found: the rest need not be looked at.
    below = cursor === undefined && found.length === most ? END : String(next);
  }
  const jobs = (await toJobs(session, found.slice(0, limit))).filter((job) => job !== null);
  const last = jobs.at(-1);
  return { jobs, cursor: found.length > limit && last !== undefined ? String(last.seq) : null };
}

const END = '-1';

/** Errors, log lines and audit entries of one job. */
export async function trail({ scripts }: Session, id: string): Promise<JobTrail | null> {
  const { values } = await scripts.run('trail', undefined, [idBytes(id)]);
  if (values[0] !== 1) return null;
  const [errors, logs, audit] = values.slice(1).map((list) => read(list as Buffer[])) as [Kept, Kept, Kept];
  return {
    errors: [...errors.entries, ...[errors, logs, audit].flatMap(({ damaged }) => damaged)] as AttemptError[],
    errorsOmitted: errors.omitted,
    logs: logs.entries as LogLine[],
    logsOmitted: logs.omitted,
    audit: (audit.entries as StoredAudit[]).map(toAudit),
  };
}

interface Kept {
  readonly entries: readonly unknown[];
  readonly omitted: number;
  /** In the place of entries that cannot be read. */
  readonly damaged: readonly AttemptError[];
}

/** A number among the entries, which are objects, says how many were left out. */
function read(list: readonly Buffer[]): Kept {
  const values = list.map(readEntry);
  const omitted = values.find((value) => typeof value === 'number') ?? 0;
  return {
    entries: values.filter((value) => typeof value === 'object' && value !== null),
    omitted: omitted as number,
    damaged: list.filter((_, index) => values[index] === null).map(unreadable),
  };
}

/** Null for what is damaged. */
function readEntry(bytes: Buffer): unknown {
  try {
    const entry: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof entry === 'object' || typeof entry === 'number' ? entry : null;
  } catch {
    return null;
  }
}

/** In the place of an entry that is damaged. */
function unreadable(bytes: Buffer): AttemptError {
  const message = `An entry of the trail cannot be read; its bytes in base64: ${bytes.toString('base64')}`;
  return { attempt: 0, at: 0, name: 'LongshoreError', message, stack: null, code: 'STORE_CORRUPT' };
}

/** States by their numbers; -1 when the job was gone. */
type StoredAudit = Omit<AuditEntry, 'from' | 'to'> & { readonly from: number; readonly to: number };

function toAudit({ at, action, by, why, from, to }: StoredAudit): AuditEntry {
  return { at, action, by, why, from: stateOf(from), to: stateOf(to) ?? null };
}

/** A job as lua/_look.lua answers it; empty where there is none. */
type Shown =
  | readonly [id: Buffer, record: Buffer, workerId: Buffer | null, expiresAt: number | null]
  | readonly [];

async function toJobs({ names }: Session, shown: readonly Shown[]): Promise<(Job | null)[]> {
  const records = shown.map(([id, record]) =>
    id === undefined || record === undefined ? null : readRecord(readId(id), record),
  );
  const known = records.filter((record) => record !== null);
  await names.learn(
    'queue',
    known.map(({ queue }) => queue),
  );
  await names.learn(
    'task',
    known.map(({ task }) => task),
  );
  return records.map((record, index) => {
    if (record === null) return null;
    const [, , workerId, expiresAt] = shown[index] as Shown;
    const { batch: _batch, queue, task, ...job }: JobRecord = record;
    return {
      ...job,
      queue: names.name('queue', queue),
      task: names.name('task', task),
      workerId: workerId?.toString() || null,
      leaseExpiresAt: expiresAt ?? null,
    };
  });
}
