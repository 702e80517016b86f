import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { eventually, temporaryFolder } from '../stage.ts';
import { leavesBusyTimer, leavesTimer } from './tasks/left-behind.ts';

test('what a job leaves behind in a thread gets its turn, also when no other job comes', async (t) => {
  const file = join(await temporaryFolder(t), 'rang');
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  await longshore.worker({ tasks: [leavesTimer], threads: 1 }).start();
  await (await longshore.enqueue(leavesTimer, file)).result();
  await eventually(() => existsSync(file));
});

test('also when the thread takes up its last job late, because of what the one before left behind', async (t) => {
  const folder = await temporaryFolder(t);
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  await longshore.worker({ tasks: [leavesTimer, leavesBusyTimer], threads: 1 }).start();
  // So that it is loaded, and runs in the turn in which its message is taken.
  await (await longshore.enqueue(leavesTimer, join(folder, 'first'))).result();
  for (const name of ['second', 'third', 'fourth']) {
    const file = join(folder, name);
    await (await longshore.enqueue(leavesBusyTimer, null)).result();
    await new Promise((resolve) => setTimeout(resolve, 15));
    await (await longshore.enqueue(leavesTimer, file)).result();
    await eventually(() => existsSync(file));
  }
});
