import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Runtime } from '@temporalio/worker';
import {
  type TemporalWorker,
  type TemporalWorkerOptions,
  temporalWorker,
} from '../../../src/connectors/temporal/index.ts';
import { clientFor, temporalFor } from './server.ts';

// Activities fail here on purpose, and the SDK tells of each.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

const WORKFLOWS = fileURLToPath(new URL('./workflows.ts', import.meta.url));

/** A server, a client, and workers for the workflows of workflows.ts; each stage has a task queue of its own. */
export interface Stage {
  readonly address: string;
  readonly taskQueue: string;
  readonly client: Client;
  worker(options: Partial<TemporalWorkerOptions>): Promise<TemporalWorker>;
  start(workflow: string, ...args: unknown[]): Promise<WorkflowHandle>;
  run<Result = unknown>(workflow: string, ...args: unknown[]): Promise<Result>;
}

/** Bundling takes seconds: once for a file of tests. */
let bundle: Promise<object> | null = null;

export function workflowBundle(): Promise<object> {
  const none = (): void => undefined;
  const logger = { log: none, trace: none, debug: none, info: none, warn: none, error: none };
  bundle ??= bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger });
  return bundle;
}

/** Null where there is no server. */
export async function stageFor(t: TestContext): Promise<Stage | null> {
  const server = await temporalFor(t);
  if (server === null) return null;
  const client = await clientFor(t, server.url);
  const taskQueue = `test-${randomUUID()}`;
  const start = (workflow: string, ...args: unknown[]): Promise<WorkflowHandle> =>
    client.workflow.start(workflow, { workflowId: randomUUID(), taskQueue, args });
  return {
    address: server.url,
    taskQueue,
    client,
    start,
    async worker(options) {
      const worker = temporalWorker({
        connection: { address: server.url },
        taskQueue,
        workflowBundle: await workflowBundle(),
        logger: false,
        ...options,
      });
      t.after(() => worker.stop({ graceMs: 0 }));
      await worker.start();
      return worker;
    },
    run: async (workflow, ...args) => (await start(workflow, ...args)).result(),
  };
}

/** The failure of the activity that a workflow failed with. */
export async function activityFailure(running: Promise<unknown>): Promise<ActivityFailed> {
  try {
    await running;
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause as { cause: ActivityFailed };
    return cause.cause;
  }
  throw new Error('the workflow completed');
}

export interface ActivityFailed extends Error {
  readonly type?: string;
  readonly nonRetryable?: boolean;
  readonly details?: readonly unknown[];
}
