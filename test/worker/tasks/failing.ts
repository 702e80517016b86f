import { defineTask } from '../../../src/index.ts';

function deep(): never {
  throw new Error('refused');
}

async function run(): Promise<never> {
  await Promise.resolve();
  return deep();
}

export const failsHere = defineTask({ name: 'fails-here', run });
export const failsInThread = defineTask({ name: 'fails-in-a-thread', strategy: 'thread', run });
