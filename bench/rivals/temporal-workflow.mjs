/** The workflow of temporal.mjs; runs in Temporal's sandbox. */
import { proxyActivities } from '@temporalio/workflow';

const { work } = proxyActivities({ startToCloseTimeout: '1 minute' });

export async function job(input) {
  await work(input);
}
