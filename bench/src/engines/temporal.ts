import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { Kind, Load } from './engine.ts';

const WORKFLOWS: Readonly<Record<Kind, string>> = {
  echo: 'echoes',
  compute: 'computes',
  mixed: 'mixes',
  block: 'blocks',
};

/** Sends workflows to a server of Temporal by the client of its SDK, which says when each has ended. */
export async function temporalLoad(url: string): Promise<Load> {
  const { Client, Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ address: url });
  const client = new Client({ connection });
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const ending = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  const send: Load['send'] = async ({ queue, kind, input }) => {
    const options = { workflowId: `bench-${randomUUID()}`, taskQueue: queue, args: [input] };
    const handle = await client.workflow.start(WORKFLOWS[kind], options);
    const ended = connection.withAbortSignal(ending.signal, () => handle.result());
    underWay.add(ended);
    const forget = (): void => void underWay.delete(ended);
    ended.then(forget, forget);
    return { ended, cancelling: { running: () => beats(handle), cancel: () => handle.cancel() } };
  };
  return {
    url,
    server: `Temporal ${serverVersion}`,
    prepare: async () => undefined,
    fills: false,
    send,
    settled: async () => undefined,
    heardEnds: () => undefined,
    async close() {
      // Nobody waits for these any more; the client would ask again on a closed connection.
      ending.abort();
      await Promise.allSettled(underWay);
      await connection.close();
    },
  };
}

/** Until its activity has sent a heartbeat. */
async function beats(handle: WorkflowHandle): Promise<void> {
  for (;;) {
    const [activity] = (await handle.describe()).raw.pendingActivities ?? [];
    if ((activity?.lastHeartbeatTime ?? null) !== null) return;
  }
}
