import type { TestContext } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import type { Server } from '../../../setup/services/server.mjs';
import { startTemporal } from '../../../setup/services/temporal.mjs';
import {
  builtTemporal,
  TEMPORAL_MISSING,
  temporalProgram,
} from '../../../setup/services/temporal-program.mjs';

/** A real server for one test: on the PATH or built before; continuous integration builds it. Skips the test where there is none. */
export async function temporalFor(
  t: TestContext,
  options: { readonly durable?: boolean; readonly args?: readonly string[]; readonly port?: number } = {},
): Promise<Server | null> {
  if (!(await isThere(t))) return null;
  const server = await startTemporal(options);
  t.after(() => server.stop());
  return server;
}

async function isThere(t: TestContext): Promise<boolean> {
  if (temporalProgram() !== undefined) return true;
  if (process.env.CI) await builtTemporal();
  else t.skip(TEMPORAL_MISSING);
  return temporalProgram() !== undefined;
}

export async function clientFor(t: TestContext, address: string, namespace = 'default'): Promise<Client> {
  const connection = await Connection.connect({ address });
  t.after(() => connection.close());
  return new Client({ connection, namespace });
}
