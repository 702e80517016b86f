import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is yes: for what is only to be seen in another program. The test's timeout bounds it. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(20);
}
