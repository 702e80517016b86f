import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { requireConnection, type TemporalConnection } from './options.ts';
import { connectionTrouble } from './trouble.ts';

/** What a load generator drives: workflows of a Temporal server, each from its start to its end. */
export interface TemporalLoadTarget {
  /** Resolves when the workflow has completed; rejects with why it did not. */
  start(message: string): Promise<void>;
  close(): Promise<void>;
}

export interface TemporalLoadOptions {
  readonly connection: TemporalConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** Activities that each workflow calls, one after the other. */
  readonly count: number;
}

/** Connects. Rejects with OPTION_INVALID, ENGINE_UNAVAILABLE, ENGINE_REFUSED, ENGINE_UNSUPPORTED. */
export async function temporalLoadTarget(options: TemporalLoadOptions): Promise<TemporalLoadTarget> {
  const { connection: given, namespace, taskQueue, count } = options;
  requireConnection(given);
  const { address = 'localhost:7233', tls, apiKey, metadata } = given;
  const trouble = (error: unknown): Error => connectionTrouble(error, { namespace, taskQueue }, address);
  try {
    const connection = await Connection.connect({
      address,
      tls: (tls ?? apiKey !== undefined) as boolean,
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata }),
    });
    await connection.workflowService.describeNamespace({ namespace });
    const client = new Client({ connection, namespace });
    return {
      async start(message) {
        const workflowId = `echo-workflow-${randomUUID()}`;
        await client.workflow.execute('EchoWorkflow', { workflowId, taskQueue, args: [message, count] });
      },
      close: () => connection.close(),
    };
  } catch (error) {
    throw trouble(error);
  }
}
