import { newId } from '../../core/ids.ts';
import { claim } from './claim.ts';
import { enqueue } from './enqueue.ts';
import { settle } from './settle.ts';
import type { HotTx } from './verb.ts';

/**
 * Adds, claims and completes a job that nobody ever sees, since all of it is undone: by that a new connection has compiled
 * and planned what the hot verbs are made of, and read the tables' descriptions, before a call waits for it.
 */
export async function warmUp(lent: Warmable, schema: string): Promise<void> {
  await lent.script(
    `BEGIN; SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL statement_timeout = ${STATEMENT_MS}`,
  );
  try {
    const tx: HotTx = {
      query: (text, values) => lent.query(text, values),
      tuples: (text, values) => lent.tuples(text, values),
      single: false,
      binary: lent.binary,
      now: Number.NaN,
      given: null,
      topics: new Set(),
      schema,
      sender: null,
      claimId: () => crypto.randomUUID(),
    };
    await enqueue(tx, [JOB()]);
    const { leases } = await claim(tx, { workerId: QUEUE, queues: [QUEUE], limit: 1, leaseMs: 1_000 });
    await settle(
      tx,
      leases.map((lease) => ({ ...lease, outcome: { type: 'completed', result: null } })),
    );
  } finally {
    await lent.script('ROLLBACK');
  }
}

/** What a lent connection has. */
interface Warmable extends Pick<HotTx, 'query' | 'tuples' | 'binary'> {
  script(text: string): Promise<unknown>;
}

/** What is in the way of a job is in the way of every call; a warm-up does not wait for it. */
const LOCK_MS = 50;
const STATEMENT_MS = 1_000;
const QUEUE = 'longshore warm-up';

const JOB = () => ({
  id: newId(),
  isNew: true,
  queue: QUEUE,
  task: QUEUE,
  priority: 0,
  input: null,
  attemptsMax: 1,
  delayMs: 0,
  dueAt: null,
  unique: null,
  key: null,
});
