import { proxyActivities } from '@temporalio/workflow';

/** Workflows of the measurement; Temporal's SDK bundles this file by itself. */
interface Activities {
  echo(message: string): Promise<string>;
  block(ms: number): Promise<string>;
  compute(steps: number): Promise<number>;
}

const { echo } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });
const { block } = proxyActivities<Activities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '5 seconds',
  retry: { maximumAttempts: 1 },
});
const { compute } = proxyActivities<Activities>({ startToCloseTimeout: '10 minutes' });

export async function EchoWorkflow(message: string, count: number): Promise<string> {
  let last = message;
  for (let called = 0; called < count; called += 1) last = await echo(message);
  return last;
}

export async function blockFor(ms: number): Promise<string> {
  return block(ms);
}

export async function computeMany(steps: number, count: number): Promise<number> {
  const all = await Promise.all(Array.from({ length: count }, () => compute(steps)));
  return all.length;
}
