import pg from 'pg';

/**
 * Holds a snapshot, as a long report or a forgotten session does: nothing that dies after it can be removed. Resolves
 * when it is taken, to what lets it go.
 */
export async function holdSnapshot(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT 1');
  return () => client.end();
}
