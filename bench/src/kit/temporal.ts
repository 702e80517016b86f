import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadNeighbour, neighbour } from '../neighbours.ts';
import { Skipped } from './trial.ts';

/** Temporal's development server, one for the whole measurement, told to agents by the environment. */
const ADDRESS = 'LONGSHORE_BENCH_TEMPORAL';

interface Services {
  startTemporal(options: {
    readonly durable: boolean;
  }): Promise<{ readonly url: string; stop(): Promise<void> }>;
}

/** Starts the server at first use; it ends with this process. Throws `Skipped` where it, or its SDK, is not there. */
export async function readyTemporal(): Promise<string> {
  const version = sdkVersion();
  if (version === null || !existsSync(neighbour('setup/services/temporal.mjs')))
    throw new Skipped("Temporal's server and SDK are not in this checkout.");
  if (process.env[ADDRESS] === undefined) {
    const { startTemporal } = await loadNeighbour<Services>('setup/services/temporal.mjs', '');
    const server = await startTemporal({ durable: true }).catch((error: unknown) => {
      throw new Skipped(`There is no Temporal server: ${(error as Error).message}`);
    });
    process.env[ADDRESS] = server.url;
    process.once('beforeExit', () => void server.stop());
  }
  return version;
}

function sdkVersion(): string | null {
  try {
    const require = createRequire(import.meta.url);
    return (require('@temporalio/worker/package.json') as { version: string }).version;
  } catch {
    return null;
  }
}
