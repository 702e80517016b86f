import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { requireConnection, type TemporalConnection } from './options.ts';
import { connectionTrouble } from './trouble.ts';

/** What a load generator puts load on (src/load): workflows of a Temporal server, each from its start to its end. */
export interface TemporalLoadTarget {
  readonly noun: string;
  /** Resolves when the workflow has completed. Rejects with why it did not, and with the signal's reason. */
  run(number: number, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface TemporalLoadOptions {
  readonly connection: TemporalConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly message: string;
  /** Activities that each workflow calls, one after the other. */
  readonly count: number;
}

/** Connects. Rejects with OPTION_INVALID, ENGINE_UNAVAILABLE, ENGINE_REFUSED, ENGINE_UNSUPPORTED. */
export async function temporalLoadTarget(options: TemporalLoadOptions): Promise<TemporalLoadTarget> {
  const { connection: given, namespace, taskQueue, message, count } = options;
  requireConnection(given);
  const { address = 'localhost:7233', tls, apiKey, metadata } = given;
  const trouble = (error: unknown): Error => connectionTrouble(error, { namespace, taskQueue }, address);
  const connection = await Connection.connect({
    address,
    tls: (tls ?? apiKey !== undefined) as boolean,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
  }).catch((error) => {
    throw trouble(error);
  });
  await connection.workflowService.describeNamespace({ namespace }).catch(async (error) => {
    await connection.close();
    throw trouble(error);
  });
  const client = new Client({ connection, namespace });
  return {
    noun: 'Workflows',
    run: (_number, signal) =>
      connection.withAbortSignal(signal, async () => {
        const workflowId = `echo-workflow-${randomUUID()}`;
        await client.workflow.execute('EchoWorkflow', { workflowId, taskQueue, args: [message, count] });
      }),
    close: () => connection.close(),
  };
}
