import { proxyActivities } from '@temporalio/workflow';

/** The workflow of `longshore temporal work` and `longshore temporal load`. Temporal's SDK bundles this file by itself. */
interface EchoActivities {
  echo(message: string): Promise<string>;
}

const { echo } = proxyActivities<EchoActivities>({ startToCloseTimeout: '10 seconds' });

/** Calls the activity `echo` `count` times, one after the other. Returns what the last one did, or the message where none was called. */
export async function EchoWorkflow(message: string, count: number): Promise<string> {
  let last = message;
  for (let called = 0; called < count; called += 1) last = await echo(message);
  return last;
}
