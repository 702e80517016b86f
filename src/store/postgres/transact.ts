import type { Topic } from '../notifier.ts';
import type { ClaimRequest } from '../store.ts';
import type { Lent } from './lent.ts';
import type { HotTx } from './verb.ts';
import { type VerbName, verbNamed } from './verbs.ts';

/**
 * Runs a group of calls on one connection, in one transaction: one commit for all of them. A single statement commits
 * by itself. Where the driver can, statements that do not depend on each other go out together, BEGIN and COMMIT too:
 * settle and claim of a worker's turn are one round trip.
 */

export interface Work {
  readonly verb: VerbName;
  readonly input: unknown;
  /** The server's clock when undefined. */
  readonly now: number | undefined;
  /** How many characters its items have, where they were counted. */
  readonly chars?: number;
}

/** What a transaction takes from the store that runs it. */
export interface Circumstances {
  /** Quoted. */
  readonly schema: string;
  /** Names the store object in notifications. */
  readonly sender: string;
  /** Whether the transaction may notify. */
  readonly notifies: boolean;
  claimId(request: ClaimRequest): string;
}

export interface Transacted {
  readonly values: readonly unknown[];
  readonly topics: ReadonlySet<Topic>;
}

export async function transact(
  session: Lent,
  group: readonly Work[],
  around: Circumstances,
): Promise<Transacted> {
  const topics = new Set<Topic>();
  const [only] = group;
  if (only !== undefined && group.length === 1 && standsAlone(only)) {
    const value = await verbNamed(only.verb).run(
      { ...transaction(session, only, { ...around, topics }), single: true },
      only.input,
    );
    return { values: [value], topics };
  }
  try {
    return { values: await runAll(session, group, { ...around, topics }), topics };
  } catch (error) {
    // Rejects as well when the connection is broken; the first error tells more.
    await session.script('ROLLBACK').catch(() => {});
    throw error;
  }
}

export function standsAlone({ verb, input }: Work): boolean {
  return verbNamed(verb).alone?.(input) === true;
}

/** Statements that are sent before those ahead of them are answered are all in this process's memory. */
const AHEAD_CHARS_MAX = 16_777_216;

interface Inside extends Circumstances {
  readonly topics: Set<Topic>;
  readonly startedAt?: number;
}

async function runAll(session: Lent, group: readonly Work[], inside: Inside): Promise<unknown[]> {
  const sent: Promise<unknown>[] = [];
  const alone = group.every(standsAlone);
  const startedAt = await begin(session, alone ? null : inside.schema, sent);
  let ahead = 0;
  for (const work of group) {
    const tx = transaction(session, work, { ...inside, ...startedAt, notifies: inside.notifies && alone });
    const value = verbNamed(work.verb).run(tx, work.input);
    sent.push(value);
    ahead += work.chars ?? 0;
    if (session.pipelined && standsAlone(work) && ahead <= AHEAD_CHARS_MAX) continue;
    await settled(sent);
    ahead = 0;
  }
  if (!alone) {
    await settled(sent);
    if (inside.notifies && inside.topics.size > 0)
      sent.push(
        session.query(`SELECT ${inside.schema}.hint($1, $2)`, [inside.sender, [...inside.topics].join()]),
      );
  }
  sent.push(session.script('COMMIT'));
  await settled(sent);
  return Promise.all(sent.slice(1, group.length + 1));
}

/**
 * The time is read by the transaction itself, unless all of its statements do it on their own. What it holds, the server
 * lets go by itself once this side was not heard of for as long as it would wait: a machine that is cut off leaves its
 * connections open.
 */
async function begin(
  session: Lent,
  schema: string | null,
  sent: Promise<unknown>[],
): Promise<{ startedAt?: number }> {
  const begun = session.script<{ now: number }>(
    schema === null
      ? 'BEGIN'
      : `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${session.timeoutMs}; SELECT ${schema}.now_ms() AS now`,
  );
  sent.push(begun);
  if (schema === null && session.pipelined) return {};
  await settled(sent);
  const [row] = await begun;
  return row === undefined ? {} : { startedAt: row.now };
}

/** Waits for all, also when one fails: a connection with statements under way cannot be used again. */
async function settled(sent: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(sent))
    if (outcome.status === 'rejected') throw outcome.reason;
}

function transaction(session: Lent, { now }: Work, inside: Inside): HotTx {
  const given = now === undefined ? (inside.startedAt ?? null) : Math.floor(now);
  return {
    query: (text, values) => session.query(text, values),
    tuples: (text, values) => session.tuples(text, values),
    single: false,
    binary: session.binary,
    now: given ?? Number.NaN,
    given,
    topics: inside.topics,
    schema: inside.schema,
    sender: inside.notifies ? inside.sender : null,
    claimId: inside.claimId,
  };
}
