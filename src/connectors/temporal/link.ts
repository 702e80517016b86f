import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { LongshoreError } from '../../core/errors.ts';
import { isConnected, type TemporalConnection, type TemporalSettings } from './options.ts';
import { connectionTrouble } from './trouble.ts';

/** The way to the server: opened again and again until it stands. */
export interface Link {
  readonly connection: NativeConnection;
  readonly address: string;
  /** Rejects with what is wrong where the server does not answer, or has no such namespace. */
  ask(): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with ENGINE_UNAVAILABLE, ENGINE_REFUSED or ENGINE_UNSUPPORTED. */
export async function openLink(settings: TemporalSettings): Promise<Link> {
  const given = settings.connection;
  const address = addressOf(settings);
  try {
    const connection = isConnected(given)
      ? (given as NativeConnection)
      : await NativeConnection.connect(sdkOptions(given as TemporalConnection, address));
    const { namespace } = settings;
    const ask = async (): Promise<void> => {
      await connection.withDeadline(Date.now() + ASK_MS, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
    };
    const close = async (): Promise<void> => {
      if (connection !== given) await connection.close();
    };
    await ask().catch(async (error) => {
      await close();
      throw error;
    });
    return { connection, address, ask, close };
  } catch (error) {
    throw connectionTrouble(error, settings, address);
  }
}

const ASK_MS = 5_000;

export function addressOf({ connection }: Pick<TemporalSettings, 'connection'>): string {
  if (isConnected(connection)) return 'the connection given';
  return (connection as TemporalConnection).address ?? 'localhost:7233';
}

function sdkOptions({ tls, apiKey, metadata }: TemporalConnection, address: string): object {
  return {
    address,
    tls: tls ?? apiKey !== undefined,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** Resolves early when the signal aborts. Unlike timers of the system clock it keeps the process alive: before it is connected, nothing else does. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** What whoever runs the worker is told of its connection. */
export interface LinkReports {
  readonly onTrouble: (trouble: LongshoreError, retryMs: number) => void;
  readonly onStarted: (address: string) => void;
  readonly onBack: (address: string) => void;
}
