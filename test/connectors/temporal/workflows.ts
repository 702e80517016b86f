/** Workflows of the tests; Temporal's SDK bundles this file by itself. */
import {
  type ActivityOptions,
  type LocalActivityOptions,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';

export { EchoWorkflow } from '../../../src/connectors/temporal/echo-workflow.ts';

type Activity = (...args: unknown[]) => Promise<unknown>;

/** Calls one activity by its name. */
export async function call(name: string, args: unknown[], options: ActivityOptions): Promise<unknown> {
  const activities = proxyActivities<Record<string, Activity>>({
    startToCloseTimeout: '10 minutes',
    ...options,
  });
  return (activities[name] as Activity)(...args);
}

export async function callLocal(
  name: string,
  args: unknown[],
  options: LocalActivityOptions,
): Promise<unknown> {
  const activities = proxyLocalActivities<Record<string, Activity>>({
    startToCloseTimeout: '1 minute',
    ...options,
  });
  return (activities[name] as Activity)(...args);
}

/** The same activity `count` times at once. */
export async function fan(name: string, count: number, options: ActivityOptions): Promise<unknown[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(name, [index], options)));
}
