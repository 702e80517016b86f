import type { DatabaseSync } from 'node:sqlite';
import { LongshoreError, optionInvalid } from '../../core/errors.ts';
import type { Topic } from '../notifier.ts';
import type { EnqueueReceipt, JobSpec, SettleReceipt } from '../store.ts';
import type { Completion } from '../transactions.ts';
import { Connection } from './connection.ts';
import { enqueueEach } from './enqueue.ts';
import { isBusy, toStoreError } from './errors.ts';
import { statSync } from './files.ts';
import type { Tx } from './rows.ts';
import { annotate, settle } from './settle.ts';

/**
 * What is written in a transaction of the caller's goes through the caller's own connection to the same file, on the caller's
 * thread, and is committed or rolled back by whoever began it. The one place where something other than the store thread
 * writes. SQLite tells nobody of a commit, so the transaction's end is looked for: the hint comes after it, a few
 * milliseconds late, and where it is lost, the store threads' own look at the file finds the commit (wake.ts).
 */
function writeForeign<Result>(tx: unknown, means: ForeignMeans, write: (own: Tx) => Result): Result {
  const database = requireTransaction(tx, means.file);
  // Its statements are not kept: the caller may close its connection and open it again.
  const db = new Connection(means.file, false, database);
  const topics = new Set<Topic>();
  try {
    db.exec('SAVEPOINT longshore_write');
    const result = write({ db, now: Math.floor(means.now), topics });
    db.exec('RELEASE longshore_write');
    if (topics.size > 0) hintAtEnd(database, topics, means.hint);
    return result;
  } catch (error) {
    // SQLite itself has undone the whole transaction after some errors, a full disk among them.
    if (database.isTransaction) undo(db);
    throw isBusy(error) ? locked(error, means.file) : toStoreError(error, means.file);
  }
}

export function enqueueForeign(
  tx: unknown,
  specs: readonly JobSpec[],
  means: ForeignMeans,
): EnqueueReceipt[] {
  return writeForeign(tx, means, (own) => enqueueEach(own, specs));
}

/** The file's lock keeps all others out until the end, so all that follows from the job's end is written at once. */
export function completeForeign(tx: unknown, completion: Completion, means: ForeignMeans): SettleReceipt {
  return writeForeign(tx, means, (own) => {
    if (completion.note !== undefined) annotate(own, [completion.note]);
    return settle(own, [completion])[0] as SettleReceipt;
  });
}

export interface ForeignMeans {
  readonly file: string;
  readonly now: number;
  /** Called after the transaction has ended, in whichever way; the same function at every call. */
  readonly hint: (topics: readonly Topic[]) => void;
}

const EXPECTED = 'a DatabaseSync of node:sqlite with an open transaction on the store’s own file';

/** By shape and not by class: a subclass or a wrapper that has the same methods will do. */
function requireTransaction(tx: unknown, file: string): DatabaseSync {
  const database = tx as Partial<DatabaseSync> | null;
  if (typeof database?.prepare !== 'function' || typeof database.location !== 'function')
    throw optionInvalid('tx', tx, EXPECTED);
  if (!database.isOpen) throw optionInvalid('tx', tx, `${EXPECTED}, but it is closed`);
  const location = database.location();
  if (location === null || !isSameFile(location, file))
    throw optionInvalid('tx', tx, `${EXPECTED} ${file}, but it is on ${location ?? 'a database in memory'}`);
  if (!database.isTransaction)
    throw optionInvalid('tx', tx, `${EXPECTED}, but none is open: begin with BEGIN IMMEDIATE`);
  return database as DatabaseSync;
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

function undo(db: Connection): void {
  try {
    db.exec('ROLLBACK TO longshore_write; RELEASE longshore_write');
  } catch {
    // There is no savepoint when making it was what failed.
  }
}

const LOOK_MS_MIN = 1;
/** Beyond it, the store threads' own look is as good. */
const LOOK_MS_MAX = 250;

type Hint = ForeignMeans['hint'];

const awaited = new WeakMap<DatabaseSync, Map<Hint, Set<Topic>>>();

/** Looks soon, then less and less often, whether the transaction is over. Never keeps the process alive. */
function hintAtEnd(database: DatabaseSync, topics: Iterable<Topic>, hint: Hint): void {
  const looking = awaited.has(database);
  const hints = awaited.get(database) ?? new Map<Hint, Set<Topic>>();
  hints.set(hint, new Set([...(hints.get(hint) ?? []), ...topics]));
  awaited.set(database, hints);
  if (!looking) lookForEnd(database, LOOK_MS_MIN);
}

function lookForEnd(database: DatabaseSync, delayMs: number): void {
  const look = (): void => {
    if (database.isOpen && database.isTransaction) {
      lookForEnd(database, Math.min(LOOK_MS_MAX, delayMs * 2));
      return;
    }
    const hints = awaited.get(database) ?? [];
    awaited.delete(database);
    for (const [hint, topics] of hints) hint([...topics]);
  };
  setTimeout(look, delayMs).unref();
}

function locked(error: unknown, file: string): unknown {
  const { code, details, message } = toStoreError(error, file);
  return new LongshoreError(
    code,
    `${message} The transaction is yours: begin it with BEGIN IMMEDIATE, on a connection with a timeout.`,
    { cause: error, details },
  );
}
