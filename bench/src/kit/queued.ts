import pg from 'pg';
import type { ServerPlace } from '../site.ts';
import { redisClient, usedMemoryBytes } from '../site-redis.ts';
import { round } from '../spread.ts';
import { inTeam } from './staff.ts';
import { Skipped, type Trial } from './trial.ts';

/** What a job that waits takes on the server: the growth of Redis's memory, or of PostgreSQL's tables, by job. */
export const queuedBytes: Trial = (settings, context) =>
  inTeam(settings, context, async ({ team, place, name }) => {
    const { server } = place;
    if (server === null) throw new Skipped('Bytes of queued jobs are measured on servers.');
    const jobs = settings.number('jobs');
    const before = await bytesOf(server);
    const payload = settings.number('payload', 10);
    await team.call(team.sender, 'fill', { jobs, payload, batch: 500, warm: false });
    const after = await bytesOf(server);
    await team.callWorkers('work');
    await team.allRan(jobs);
    await team.call(team.sender, 'settled');
    await team.report(name, jobs, context.sabotage);
    return { figures: { queuedBytesPerJob: round((after - before) / jobs) } };
  });

export async function bytesOf(server: ServerPlace): Promise<number> {
  if (server.kind === 'redis') {
    const client = await redisClient(server.url);
    return usedMemoryBytes(client).finally(() => client.destroy());
  }
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    const { rows } = await client.query(SIZE, [server.name]);
    return rows[0].bytes;
  } finally {
    await client.end();
  }
}

/** Tables with their indexes and what is stored apart. */
const SIZE = `
  SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0)::float8 AS bytes
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'm')`;
