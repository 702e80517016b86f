import { loadNeighbour } from './neighbours.ts';

/** A server of a measurement's own, as setup/services starts it. */
export interface OwnServer {
  readonly url: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Services {
  startPostgres(options: { readonly durable: boolean }): Promise<OwnServer>;
  startTemporal(): Promise<OwnServer>;
  startOperaton(options: { readonly build: boolean }): Promise<OwnServer>;
  startRedis(options: { readonly durable: boolean; readonly args?: readonly string[] }): Promise<OwnServer>;
}

/** When Redis syncs its append-only file to disk. */
export type Fsync = 'always' | 'everysec';

/** fsync and synchronous_commit are on: a commit that was acknowledged is on the disk. */
export async function startPostgres(): Promise<OwnServer> {
  return (await services()).startPostgres({ durable: true });
}

/** With an append-only file, whatever it takes. */
export async function startRedis(fsync: Fsync): Promise<OwnServer> {
  return (await services()).startRedis({ durable: true, args: ['--appendfsync', fsync] });
}

/** A workflow engine with its data in memory. Operaton is built where it is not there yet, which takes minutes. */
export async function startEngine(engine: 'temporal' | 'operaton'): Promise<OwnServer> {
  const { startTemporal, startOperaton } = await services();
  return engine === 'temporal' ? startTemporal() : startOperaton({ build: true });
}

function services(): Promise<Services> {
  return loadNeighbour<Services>('setup/services/index.mjs', 'Give the server with --url.');
}

/** As a power cut, after which the server comes up again. */
export async function crash(server: OwnServer): Promise<void> {
  await server.kill();
  await server.restart();
}
