import type { Topic } from '../notifier.ts';
import { type Connection, retryWhileBusy } from './connection.ts';
import { isBusy } from './errors.ts';
import type { Tx } from './rows.ts';
import { NEEDS_WRITE } from './verb.ts';
import { type VerbName, verbNamed } from './verbs.ts';

/**
 * Runs a group of calls in one transaction: one commit, and so one fsync, for all of them. There are no savepoints on
 * the way: when a call throws, the transaction is undone and each call runs again in one of its own, so that only the
 * culprit fails.
 */

export interface Work {
  readonly verb: VerbName;
  readonly input: unknown;
  /** The store's clock when undefined. */
  readonly now: number | undefined;
}

export type Answer = { readonly value: unknown } | { readonly error: unknown };

export interface Transacted {
  /** In the order of the calls. */
  readonly answers: readonly Answer[];
  /** What was committed is a hint for these. */
  readonly topics: ReadonlySet<Topic>;
  readonly wrote: boolean;
}

/** Named points of the store thread's work, for tests that kill the process or fill the disk there. */
export interface Hooks {
  /** How long to wait for another process's lock; default 15 s. */
  readonly busyMs?: number;
  opened?(connection: Connection): void;
  beforeCommit?(group: readonly Work[]): void;
  afterCommit?(group: readonly Work[]): void;
}

export function transact(db: Connection, group: readonly Work[], hooks: Hooks = {}): Transacted {
  try {
    return (
      retryWhileBusy(() => undoing(db, () => readAll(db, group)), hooks.busyMs) ??
      undoing(db, () => writeAll(db, group, hooks))
    );
  } catch (error) {
    if (group.length === 1 || isBusy(error)) return failed(group, error);
    return joined(group.map((work) => transact(db, [work], hooks)));
  }
}

/** Answers the group without the write lock; null when a call needs it. */
function readAll(db: Connection, group: readonly Work[]): Transacted | null {
  if (!group.every(({ verb }) => verbNamed(verb).read)) return null;
  const topics = new Set<Topic>();
  const answers: Answer[] = [];
  db.run('BEGIN');
  for (const work of group) {
    const answer = readOne(db, work, topics);
    if (answer === null) {
      db.rollback();
      return null;
    }
    answers.push(answer);
  }
  db.run('COMMIT');
  return { answers, topics, wrote: false };
}

function readOne(db: Connection, work: Work, topics: Set<Topic>): Answer | null {
  try {
    const value = verbNamed(work.verb).read?.(begin(db, work, topics), work.input);
    return value === NEEDS_WRITE ? null : { value };
  } catch (error) {
    if (isBusy(error)) throw error;
    return { error };
  }
}

function writeAll(db: Connection, group: readonly Work[], hooks: Hooks): Transacted {
  const topics = new Set<Topic>();
  retryWhileBusy(() => db.run('BEGIN IMMEDIATE'), hooks.busyMs);
  const answers = group.map((work) => {
    const { write } = verbNamed(work.verb);
    // What only reads has nothing to undo: its error is its own.
    if (write === undefined) return readOne(db, work, topics) as Answer;
    return { value: write(begin(db, work, topics), work.input) };
  });
  hooks.beforeCommit?.(group);
  retryWhileBusy(() => db.run('COMMIT'));
  hooks.afterCommit?.(group);
  return { answers, topics, wrote: true };
}

/** The time is read inside the transaction, so that it does not run backwards from one writer to the next. */
function begin(db: Connection, { now }: Work, topics: Set<Topic>): Tx {
  return { db, now: now === undefined ? Date.now() : Math.floor(now), topics };
}

function undoing<T>(db: Connection, run: () => T): T {
  try {
    return run();
  } catch (error) {
    db.rollback();
    throw error;
  }
}

function failed(group: readonly Work[], error: unknown): Transacted {
  return { answers: group.map(() => ({ error })), topics: new Set(), wrote: false };
}

function joined(parts: readonly Transacted[]): Transacted {
  return {
    answers: parts.flatMap((part) => part.answers),
    topics: new Set(parts.flatMap((part) => [...part.topics])),
    wrote: parts.some((part) => part.wrote),
  };
}
