import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { eventually, temporaryFolder } from '../stage.ts';
import { leavesTimer } from './tasks/left-behind.ts';

test('what a job leaves behind in a thread gets its turn, also when no other job comes', async (t) => {
  const file = join(await temporaryFolder(t), 'rang');
  const longshore = await connect('memory:');
  t.after(() => longshore.close());
  await longshore.worker({ tasks: [leavesTimer], threads: 1 }).start();
  await (await longshore.enqueue(leavesTimer, file)).result();
  await eventually(() => existsSync(file));
});
