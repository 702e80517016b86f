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

const FIRST_MS = 250;

/** Pauses that double, each shortened by up to a fifth, so that a fleet does not come back at once. */
export class Pauses {
  readonly #maxMs: number;
  #tries = 0;

  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  next(): number {
    const ms = Math.min(this.#maxMs, FIRST_MS * 2 ** this.#tries);
    this.#tries = Math.min(this.#tries + 1, TRIES_MAX);
    return Math.round(ms * (0.8 + 0.2 * Math.random()));
  }

  reset(): void {
    this.#tries = 0;
  }
}

/** 2 to this power is more than any pause. */
const TRIES_MAX = 30;

/** Resolves early when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** What whoever runs the worker is told of its connection. */
export interface LinkReports {
  readonly onTrouble: (trouble: LongshoreError, retryMs: number) => void;
  readonly onStarted: (address: string) => void;
  readonly onBack: (address: string) => void;
}
