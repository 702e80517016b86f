import { proxyActivities } from '@temporalio/workflow';

/** Temporal's side of the load, the same for both workers. The SDK bundles this file by itself, so it imports nothing else. */
interface Input {
  readonly n: number;
}

interface Activities {
  echo(input: Input): Promise<unknown>;
  compute(input: Input): Promise<unknown>;
  mixed(input: Input): Promise<unknown>;
  block(input: Input): Promise<unknown>;
}

const { echo, compute, mixed } = proxyActivities<Activities>({ startToCloseTimeout: '120 seconds' });

/** Tried once: that an engine gives it out again is what is measured. */
const { block: blockOnce } = proxyActivities<Activities>({
  startToCloseTimeout: '120 seconds',
  heartbeatTimeout: '5 seconds',
  retry: { maximumAttempts: 1 },
});

/** Two activities, one after the other. */
export async function echoes(input: Input): Promise<unknown> {
  await echo(input);
  return echo(input);
}

export async function computes(input: Input): Promise<unknown> {
  return compute(input);
}

export async function mixes(input: Input): Promise<unknown> {
  return mixed(input);
}

export async function blocks(input: Input): Promise<unknown> {
  return blockOnce(input);
}
