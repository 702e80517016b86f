import assert from 'node:assert/strict';
import { onEachStore } from '../stage.ts';
import { failsHere, failsInThread } from './tasks/failing.ts';

onEachStore(
  "the error of a job shows its handler's frames alone, in every lane",
  async ({ connect }) => {
    const longshore = await connect();
    for (const task of [failsHere, failsInThread]) {
      const { id } = await longshore.enqueue(task, null, { attempts: 1 });
      await longshore.worker({ tasks: [task] }).runUntilIdle();
      const stack = (await longshore.jobs.get(id))?.errors[0]?.stack ?? '';
      assert.match(stack, /^Error: refused\n +at deep \(.*failing\.ts/);
      assert.doesNotMatch(stack, /\/src\/|node:/);
    }
  },
  ['memory'],
);
