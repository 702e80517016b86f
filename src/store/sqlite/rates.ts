import { type QueueLimits, type Rate, rateRoom, type StartLog } from '../../core/limits.ts';
import { type Tx, wholeMs } from './rows.ts';

/**
 * The table `start`: how many jobs of a queue, or of one of its keys, started when. Only where there is a rate; rows
 * that left the window go with the next start, and those of keys that are seen no more with `prune`.
 */

/** The queue's own starts; keys have at least one character. */
export const WHOLE_QUEUE = '';

export function roomOf(
  tx: Tx,
  queue: string,
  key: string,
  rate: Rate,
): { readonly room: number; readonly nextAt: number } {
  const since = tx.now - rate.perMs;
  const used =
    tx.db.get<{ starts: number }>(
      'SELECT coalesce(sum(starts), 0) AS starts FROM start WHERE queue = ? AND key = ? AND at > ?',
      queue,
      key,
      since,
    )?.starts ?? 0;
  if (used < rate.count) return { room: rate.count - used, nextAt: tx.now };
  const log = tx.db.all<{ at: number; starts: number }>(
    'SELECT at, starts FROM start WHERE queue = ? AND key = ? AND at > ? ORDER BY at',
    queue,
    key,
    since,
  );
  const { room, nextAt } = rateRoom(
    log.map(({ at, starts }): StartLog[number] => [at, starts]),
    rate,
    tx.now,
  );
  return { room, nextAt: wholeMs(nextAt) };
}

export function takeStarts(tx: Tx, queue: string, key: string, rate: Rate, starts: number): void {
  tx.db.run('DELETE FROM start WHERE queue = ? AND key = ? AND at <= ?', queue, key, tx.now - rate.perMs);
  tx.db.run(
    `INSERT INTO start (queue, key, at, starts) VALUES (?, ?, ?, ?)
     ON CONFLICT (queue, key, at) DO UPDATE SET starts = starts + excluded.starts`,
    queue,
    key,
    tx.now,
    starts,
  );
}

/** What a rate that is lifted leaves behind. */
export function forgetStarts(tx: Tx, queue: string, { rate, perKey }: QueueLimits): void {
  if (rate === null) tx.db.run('DELETE FROM start WHERE queue = ? AND key = ?', queue, WHOLE_QUEUE);
  if (perKey.rate === null) tx.db.run('DELETE FROM start WHERE queue = ? AND key <> ?', queue, WHOLE_QUEUE);
}

/** To be used with SELECT or DELETE: starts of keys that left the window; `?` is now. */
export const PAST_STARTS = `
  FROM start WHERE key <> '' AND at <= ? - (
    SELECT coalesce(json_extract(limits, '$.perKey.rate.perMs'), 0) FROM queue WHERE name = start.queue)`;
