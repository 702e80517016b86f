import type { HandWrittenLoop, LoopPlace } from './ceiling.ts';
import { connect } from './longshore.ts';

/** Opens the loop of the place's kind of store, on a store that Longshore made there. */
export async function openLoop({ url, server }: LoopPlace): Promise<HandWrittenLoop> {
  await (await connect(url)).close();
  if (server === null)
    return new (await import('./ceiling-sqlite.ts')).SqliteLoop(url.slice('sqlite:'.length));
  if (server.kind === 'postgres') return (await import('./ceiling-postgres.ts')).openPostgresLoop(server);
  return (await import('./ceiling-redis.ts')).openRedisLoop(server);
}
