import type { JobRow, Tx } from './rows.ts';

/**
 * As the settle rule asks: of the jobs whose unique keys others took over, by seq, who has the key now. A key that an open
 * transaction is taking over is not waited for: such a transaction may last.
 */
export async function replacedAmong(
  tx: Tx,
  jobs: readonly JobRow[],
): Promise<ReadonlyMap<number, string | null>> {
  const unique = jobs.filter((job) => job.unique_key !== null);
  if (unique.length === 0) return new Map();
  const holds = await tx.query<{ key: string; id: string }>(
    `SELECT key, id FROM ${tx.schema}.unique_key WHERE key = ANY ($1::text[])`,
    [unique.map((job) => job.unique_key)],
  );
  const holders = new Map(holds.map(({ key, id }) => [key, id]));
  return new Map(
    unique.flatMap(({ seq, id, unique_key }): [number, string | null][] => {
      const holder = holders.get(unique_key as string) ?? null;
      return holder === id ? [] : [[seq, holder]];
    }),
  );
}
